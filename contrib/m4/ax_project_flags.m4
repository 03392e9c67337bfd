# SPDX-License-Identifier: Apache-2.0 OR MIT
# Collects the flags that the compiler accepts into PROJECT_CFLAGS, PROJECT_CPPFLAGS and
# PROJECT_LDFLAGS, which the Makefile uses beside the user's own variables.

AC_DEFUN([AX_PROJECT_TRY_CFLAG], [
	AS_VAR_PUSHDEF([cachevar], [ax_cv_cflag_$1])
	AC_CACHE_CHECK([whether $CC accepts $1], [cachevar], [
		ax_saved_cflags=$CFLAGS
		CFLAGS="$CFLAGS -Werror $1"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
			[AS_VAR_SET([cachevar], [yes])], [AS_VAR_SET([cachevar], [no])])
		CFLAGS=$ax_saved_cflags
	])
	AS_VAR_IF([cachevar], [yes], [PROJECT_CFLAGS="$PROJECT_CFLAGS $1"])
	AS_VAR_POPDEF([cachevar])
])

AC_DEFUN([AX_PROJECT_TRY_LDFLAG], [
	AS_VAR_PUSHDEF([cachevar], [ax_cv_ldflag_$1])
	AC_CACHE_CHECK([whether the linker accepts $1], [cachevar], [
		ax_saved_ldflags=$LDFLAGS
		LDFLAGS="$LDFLAGS $1"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
			[AS_VAR_SET([cachevar], [yes])], [AS_VAR_SET([cachevar], [no])])
		LDFLAGS=$ax_saved_ldflags
	])
	AS_VAR_IF([cachevar], [yes], [PROJECT_LDFLAGS="$PROJECT_LDFLAGS $1"])
	AS_VAR_POPDEF([cachevar])
])

AC_DEFUN([AX_PROJECT_FLAGS], [
	PROJECT_CFLAGS="-std=gnu11"
	PROJECT_CPPFLAGS=
	PROJECT_LDFLAGS=
	m4_foreach_w([flag], [-Wall -Wextra -Wundef -Wvla -Walloca -Wshadow
		-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
		-Wwrite-strings -Wpointer-arith -Wcast-qual -Wformat=2 -Wswitch-enum
		-Wdouble-promotion -Wredundant-decls -Wdate-time
		-Wunused-result -Wlogical-op -Wduplicated-cond
		-Wduplicated-branches -Wjump-misses-init
		-Wimplicit-fallthrough -Wframe-larger-than=16384
		-fvisibility=hidden -fno-common -fno-strict-aliasing
		-fstack-protector-strong -fstack-clash-protection -fcf-protection
		-ftrivial-auto-var-init=zero],
		[AX_PROJECT_TRY_CFLAG(flag)])
	m4_foreach([flag], [[-Wl,-z,relro], [-Wl,-z,now], [-Wl,-z,noexecstack],
		[-Wl,-z,separate-code], [-Wl,--as-needed]],
		[AX_PROJECT_TRY_LDFLAG(m4_quote(flag))])
	AS_IF([test "$enable_developer" = yes], [PROJECT_CFLAGS="$PROJECT_CFLAGS -Werror"])
	AS_IF([test "$enable_sanitizers" != no], [
		PROJECT_CFLAGS="$PROJECT_CFLAGS -fsanitize=$enable_sanitizers -fno-omit-frame-pointer"
		PROJECT_LDFLAGS="$PROJECT_LDFLAGS -fsanitize=$enable_sanitizers"
	], [
		# Fortification needs optimisation and hides accesses from the sanitizers. Who asks
		# for a level gets that one.
		AS_CASE([" $CPPFLAGS $CFLAGS "], [*_FORTIFY_SOURCE*|*" -O0 "*], [], [*" -O"*],
			[PROJECT_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"])
		AX_PROJECT_TRY_LDFLAG([-Wl,-z,defs])
	])
	AS_IF([test "$enable_fuzzing" = yes],
		[PROJECT_CFLAGS="$PROJECT_CFLAGS -fsanitize=fuzzer-no-link"])
	AS_IF([test "$enable_code_coverage" = yes], [
		PROJECT_CFLAGS="$PROJECT_CFLAGS --coverage"
		PROJECT_LDFLAGS="$PROJECT_LDFLAGS --coverage"
	])
	AC_SUBST([PROJECT_CFLAGS])
	AC_SUBST([PROJECT_CPPFLAGS])
	AC_SUBST([PROJECT_LDFLAGS])
])
