# SPDX-License-Identifier: Apache-2.0 OR MIT
# Completion of airssysctl(1) for bash: commands, options and their values, and the names of the instance's units.

# Bash splits --option=value at the equals sign; these are the words as they were typed, up to the cursor.
_airssysctl_words() {
	local i word
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [ "$word" = = ] && [ ${#_airssysctl_typed[@]} -gt 0 ]; then
			_airssysctl_typed[-1]+='='
			_airssysctl_joins=yes
		elif [ -n "${_airssysctl_joins:-}" ]; then
			_airssysctl_typed[-1]+=$word
			_airssysctl_joins=
		else
			_airssysctl_typed+=("$word")
		fi
	done
}

# The names of units, asked of the instance that the words name.
_airssysctl_names() {
	local -a instance=()
	local i word
	for ((i = 0; i < ${#_airssysctl_typed[@]} - 1; i++)); do
		word=${_airssysctl_typed[i]}
		case $word in
		--runtime-dir=* | --socket=* | --system | --user) instance+=("${word/#*=\~\//${word%%=*}=$HOME/}") ;;
		--runtime-dir | --socket) instance+=("$word=${_airssysctl_typed[++i]}") ;;
		esac
	done
	command "${COMP_WORDS[0]/#\~\//$HOME/}" "${instance[@]}" --timeout=1 list --names "$@" 2>/dev/null
}

# _airssysctl_value OPTION: what may stand behind it.
_airssysctl_value() {
	case $1 in
	--color) echo auto always never ;;
	--state) echo stopped starting running reloading stopping backoff failed exited ;;
	--whom) echo main control all ;;
	--signal) echo TERM HUP INT QUIT KILL USR1 USR2 STOP CONT ABRT WINCH ;;
	--timeout) echo 1s 10s 1min ;;
	--lines) echo 10 100 all ;;
	--since | --until) echo now today yesterday -1h ;;
	esac
}

# _airssysctl_options COMMAND
_airssysctl_options() {
	echo --json --runtime-dir= --socket= --system --user --timeout= --color= --help --version
	case $1 in
	start | stop | restart) echo --all ;;
	logs) echo --follow --lines= --since= --until= --journal-directory= ;;
	status) echo --lines= --journal-directory= ;;
	show) echo --property= ;;
	kill) echo --signal= --whom= ;;
	list) echo --state= --names ;;
	verify) echo --strict ;;
	esac
}

_airssysctl_offer() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_airssysctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} command='' option='' word _airssysctl_joins=
	local commands='tree list status start stop restart reload kill logs cat show verify daemon-reload
		shutdown version help'
	local -a _airssysctl_typed=()

	_airssysctl_words
	for word in "${_airssysctl_typed[@]::${#_airssysctl_typed[@]}-1}"; do
		case $option in
		--runtime-dir | --socket | --timeout | --color | --journal-directory | --property | --signal | --whom | \
			--state | --since | --until | -[psSU])
			option=
			continue
			;;
		esac
		case $word in
		-*) option=$word ;;
		*) option= command=${command:-$word} ;;
		esac
	done
	COMPREPLY=()
	word=${_airssysctl_typed[-1]}
	case $word in
	--runtime-dir=* | --socket=* | --journal-directory=*)
		mapfile -t COMPREPLY < <(compgen -f -- "${word#*=}")
		compopt -o filenames 2>/dev/null
		return
		;;
	--*=*)
		_airssysctl_offer "$(_airssysctl_value "${word%%=*}")" "${word#*=}"
		return
		;;
	-*)
		_airssysctl_offer "$(_airssysctl_options "$command")" "$cur"
		[[ ${COMPREPLY[0]:-} == *= ]] && compopt -o nospace 2>/dev/null
		return
		;;
	esac
	case $option in
	-s) _airssysctl_offer "$(_airssysctl_value --signal)" "$cur" && return ;;
	-S | -U) _airssysctl_offer "$(_airssysctl_value --since)" "$cur" && return ;;
	--color | --state | --whom | --signal | --timeout | --since | --until)
		_airssysctl_offer "$(_airssysctl_value "$option")" "$cur"
		return
		;;
	esac
	case $command in
	'' | help) _airssysctl_offer "$commands" "$cur" ;;
	verify) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && compopt -o filenames 2>/dev/null ;;
	start) _airssysctl_offer "$(_airssysctl_names --state=stopped,failed,exited,backoff)" "$cur" ;;
	status | stop | restart | reload | kill | logs | cat | show | list)
		_airssysctl_offer "$(_airssysctl_names)" "$cur"
		;;
	esac
	return 0
}

complete -F _airssysctl airssysctl
