# SPDX-License-Identifier: Apache-2.0 OR MIT
# Completion of airssysctl(1) for bash.

_airssysctl_instance() {
	local word
	for word in "${COMP_WORDS[@]}"; do
		case $word in
		--system | --user) printf '%s\n' "$word" ;;
		esac
	done
}

_airssysctl_names() {
	local -a instance=("${_airssysctl_where[@]}")
	mapfile -t -O "${#instance[@]}" instance < <(_airssysctl_instance)
	airssysctl "${instance[@]}" --timeout=1 list --names 2>/dev/null
}

_airssysctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} command='' i
	local commands='tree list status start stop restart reload kill logs cat show verify daemon-reload
		shutdown version help'
	local options='--json --runtime-dir= --socket= --system --user --timeout= --color= --help --version'
	local -a _airssysctl_where=()

	# Bash splits --runtime-dir=DIR at the equals sign.
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--runtime-dir | --socket)
			[ "${COMP_WORDS[i + 1]:-}" = = ] && [ $((i + 2)) -lt "$COMP_CWORD" ] &&
				_airssysctl_where+=("${COMP_WORDS[i]}=${COMP_WORDS[i + 2]}")
			i=$((i + 2))
			;;
		-*) ;;
		*) [ -n "$command" ] || command=${COMP_WORDS[i]} ;;
		esac
	done
	case $command in
	start | stop | restart) options+=' --all' ;;
	logs) options+=' --follow --lines= --journal-directory=' ;;
	status) options+=' --lines= --journal-directory=' ;;
	show) options+=' --property=' ;;
	kill) options+=' --signal= --whom=' ;;
	list) options+=' --state= --names' ;;
	verify) options+=' --strict' ;;
	esac

	COMPREPLY=()
	case $cur in
	-*)
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		[[ ${COMPREPLY[0]:-} == *= ]] && compopt -o nospace
		return
		;;
	esac
	case $command in
	'' | help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
	verify) compopt -o default ;;
	start | status | stop | restart | reload | kill | logs | cat | show | list)
		mapfile -t COMPREPLY < <(compgen -W "$(_airssysctl_names)" -- "$cur")
		;;
	esac
}

complete -F _airssysctl airssysctl
