# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Which lines of our modules the tests reach.
#
#   $out/coverage/MACHINE      counts of one machine's run
#   $out/coverage/all          their sums, and notes of the compiler
#   $out/coverage/FILE.gcov    the source with counts, ##### if never reached
#   $out/coverage/table        a line per file

# coverage_collect MACHINE...: they run their tests, failed or not, and give counts.
coverage_collect()
{
	local m

	for m; do
		machine_load "$m"
		live=no mode=tests run_command=''
		run_tests=$(expand_tests "${LAB_TESTS:-$tests}")
		run_machine
		printf '%s (%s)\n' "$machine_name" "$about" >&2
		cat "$run_dir/report" >&2
		total_failed=$((total_failed + failed))
		mkdir -p "$out/coverage/$m"
		sed -n 's/^#gcov //p' "$run_dir/results.log" | base64 -d | gzip -dc |
			tar -x -C "$out/coverage/$m" || die "$m gave no counts, see $run_dir"
	done
}

# gcov_merge: sums of all machines, next to the compiler's notes
coverage_merge()
{
	local -a machines=("$out"/coverage/*/)
	local i

	"$lab_dir/intree" sh -ec 'all=$1; shift
		for m; do
			if [ -d "$all" ]; then
				gcov-tool merge -o "$all.new" "$all" "$m" >/dev/null
				rm -r "$all"
				mv "$all.new" "$all"
			else
				cp -r "$m" "$all"
			fi
		done' - "$out/coverage/all" "${machines[@]}" || die "cannot add the counts up"
	( cd "$built/src" && find drivers -name '*.gcno' ) | while read -r i; do
		mkdir -p "$out/coverage/all$built/src/$(dirname "$i")"
		cp "$built/src/$i" "$out/coverage/all$built/src/$i"
	done
}

# cmd_coverage [MACHINE...]: all that are for it unless some are named
cmd_coverage()
{
	local start=$SECONDS total_failed=0 m

	tree_ensure
	if [ $# -eq 0 ]; then
		# shellcheck disable=SC2046 # a list of words
		set -- $(for m in $(machine_list); do
			machine_load "$m"
			[ "$suite" != coverage ] || echo "$m"
		done)
	fi
	rm -rf "$out/coverage"
	mkdir -p "$out/coverage"
	# once: counts of another build mean nothing
	arch_load amd64-coverage
	build_all
	coverage_collect "$@"
	arch_load amd64-coverage
	coverage_merge
	( cd "$out/coverage/all$built/src" && find . -name '*.gcda' ! -path './tools/*' -printf '%P\n' ) | LC_ALL=C sort |
		"$lab_dir/intree" sh -ec 'cd "$1"; src=$2 all=$3
			while read -r f; do
				gcov -p -r -s "$src" -o "$all$src/${f%/*}" "$all$src/$f" >>gcov.log 2>&1
			done' - "$out/coverage" "$built/src" "$out/coverage/all"
	# what the compiler made of one line in several places counts once
	awk -F: -v OFS=: '
		FNR == 1 { file = FILENAME; sub(/.*\//, "", file); sub(/\.gcov$/, "", file); gsub(/#/, "/", file) }
		{ gsub(/[ *]/, "", $1) }
		$1 == "-" || $2 + 0 == 0 { next }
		{ key = file ":" $2 + 0; if (!(key in seen)) { lines[file]++; seen[key] = 0 } }
		$1 !~ /^[#=]/ && !seen[key] { seen[key] = 1; reached[file]++ }
		END { for (f in lines) printf "%s %d %d\n", f, reached[f], lines[f] }' "$out/coverage/drivers"*.c.gcov |
	LC_ALL=C sort | awk '
		BEGIN { printf "%-44s %8s %8s %7s\n", "file", "reached", "of", "%" }
		{ printf "%-44s %8d %8d %7.1f\n", $1, $2, $3, 100 * $2 / $3; r += $2; n += $3 }
		END { if (n) printf "%-44s %8d %8d %7.1f\n", "all", r, n, 100 * r / n }' >"$out/coverage/table"
	cat "$out/coverage/table"
	say "sources with counts: $out/coverage/*.gcov; $((SECONDS - start)) s"
	[ "$total_failed" -eq 0 ] || die "$total_failed tests failed"
}
