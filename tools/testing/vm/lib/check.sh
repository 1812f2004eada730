# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# All tests: those that need no machine, every machine with its list, and the
# demo. As many at a time as there are CPUs to run them.

# The tests of host/, framed and judged like those of a machine.
run_host()
{
	local t name='' status source

	machine_name=host
	about='no machine'
	arch_load amd64
	new_run_dir
	source=$(find "$cache/source" -maxdepth 1 -name "[0-9]*" 2>/dev/null | head -n 1 || :)
	: >"$run_dir/console.log"
	{
		echo '#lab: ready'
		for t in "$lab_dir"/host/*; do
			name=${t##*/}
			[ "$name" != README ] || continue
			echo "#lab: begin $name"
			status=0
			( cd "$repo" && "$lab_dir/intree" env KDIR="/usr/src/linux-headers-$kver" BUILD="$built" SOURCE="$source" \
				CC="$arch_cc" timeout 300 "$t" ) 2>&1 </dev/null || status=$?
			echo "#lab: end $name $status"
		done
		echo '#lab: done'
	} >"$run_dir/results.log"
	mode=tests retries=0 ended=''
	run_judge
}

# Every sensible configuration of the overlay compiles.
run_combinations()
{
	local status=0

	machine_name=combinations
	about='configurations of the overlay, compiled'
	new_run_dir
	: >"$run_dir/console.log"
	{
		printf '#lab: ready\n#lab: begin combinations\n'
		kernel_combinations 2>&1 </dev/null || status=$?
		printf '#lab: end combinations %d\n#lab: done\n' "$status"
	} >"$run_dir/results.log"
	mode=tests retries=0 ended=''
	run_judge
}

# The demo is a test with as many lines as it has steps. With a machine's name
# if it is not the usual one.
run_demo()
{
	local status=0

	machine_name=demo about="make demo${1:+ on $1}"
	new_run_dir
	"$repo/tools/demo/demo" "$@" >"$run_dir/demo.log" 2>&1 </dev/null || status=$?
	passed=$(grep -cx ' *ok' "$run_dir/demo.log" || :)
	failed=0 skipped=0
	if [ "$status" -ne 0 ] || ! tail -n 1 "$run_dir/demo.log" | grep -qx "demo: all $passed steps passed"; then
		failed=1
	fi
	{
		printf '  %-28s %4d passed %3d failed %3d skipped\n' 'demo' "$passed" "$failed" "$skipped"
		[ "$failed" -eq 0 ] || tail -n 12 "$run_dir/demo.log" | sed 's/^/    /'
	} >"$run_dir/report"
}

# One job of check, in a process of its own.
check_job()
{
	local job=$1 folder=$2 start=$SECONDS

	live=no
	case $job in
	host) run_host ;;
	demo) run_demo ;;
	*-demo) run_demo "$job" ;;
	combinations) run_combinations ;;
	*)
		machine_load "$job"
		mode=tests run_command=''
		run_tests=$(expand_tests "$tests")
		run_machine
		;;
	esac
	echo "$passed $failed $skipped" >"$folder/$job"
	# one at a time, whole
	flock "$folder" bash -c 'printf "\n%s (%s), %s s\n" "$1" "$2" "$3"; cat "$4/report"; printf "    log: %s\n" "$4"' \
		- "$job" "$about" $((SECONDS - start)) "$run_dir"
}

# cmd_check [SUITE]
cmd_check()
{
	local wanted=${1:-check} jobs='' m a folder p f s passed=0 failed=0 skipped=0 start=$SECONDS at_once

	tree_ensure
	for m in $(machine_list); do
		case $(machine_load "$m"
			[ "$suite" = "$wanted" ] && [ -n "$tests" ] || exit 0
			[ "$only_built" = no ] || kernel_is_built || { echo unbuilt; exit; }
			echo run) in
		run) jobs+=" $m" ;;
		unbuilt)
			say "$m: skipped, its kernel is not built here; make check-debug does that"
			skipped=$((skipped + 1))
			;;
		esac
	done
	[ -n "$jobs" ] || die "no machine has tests of the suite '$wanted'"
	for a in $(for m in $jobs; do (machine_load "$m"; echo "$arch"); done | sort -u); do
		arch_load "$a"
		build_all
	done
	case $wanted in
	check) jobs="host $jobs demo amd64-vtd-own-demo arm64-smmu-demo" ;;
	debug) jobs+=" combinations" ;;
	esac

	at_once=$(nproc)
	[ "$at_once" -le 4 ] || at_once=4
	folder=$(mktemp -d)
	# shellcheck disable=SC2086 # a list of words
	printf '%s\n' $jobs | LAB_BUILD=no xargs -P "$at_once" -I{} "$lab_dir/lab" check-job {} "$folder" || :
	for m in $jobs; do
		if read -r p f s 2>/dev/null <"$folder/$m"; then
			passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
		else
			say "$m: did not report"
			failed=$((failed + 1))
		fi
	done
	rm -rf "$folder"
	printf '\nall tests: %d s\n' $((SECONDS - start))
	printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
