# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# One run of one machine.
#
#   $run_dir = $out/logs/MACHINE-N
#     console.log   what the kernel said
#     results.log   what the tests said, framed by "#lab:" lines
#     qemu.log      what QEMU said, and its command line
#     standstill    the state of a machine that gave no sign of life
#     totals        passed, failed, skipped, status of the command

machine_load()
{
	local file=$lab_dir/machines/$1

	case $1 in
	'' | */* | *.inc | README) die "no machine '$1'; there are: $(machine_list | tr '\n' ' ')" ;;
	esac
	[ -r "$file" ] || die "no machine '$1'; there are: $(machine_list | tr '\n' ' ')"

	machine_name=$1
	machine=() devices=() append='' memory=1G cpus=2 about='' suite=check
	ports_at=addr=3
	stock_modules='' own_modules='iommufd vfio_cdev' parameters='' tests=''
	# taken for hung when it gave no sign of life for so long
	hang_limit=${LAB_HANG:-40}
	test_limit=120 total_limit=900 slow=1 keep_disks=no only_built=no small_payload=no
	prepare() { :; }
	orders() { :; }
	. "$file"
	arch_load "$arch"
}

machine_list()
{
	local f

	for f in "$lab_dir"/machines/*; do
		case $f in
		*.inc | */README) ;;
		*) printf '%s\n' "${f##*/}" ;;
		esac
	done
}

new_run_dir()
{
	local n

	mkdir -p "$out/logs"
	n=$(find "$out/logs" -maxdepth 1 -name "$machine_name-[0-9]*" |
		sed -n "s/.*\/$machine_name-\([0-9]*\)\$/\1/p" | sort -n | tail -n 1)
	n=$((${n:-0} + 1))
	while ! mkdir "$out/logs/$machine_name-$n" 2>/dev/null; do
		[ -w "$out/logs" ] || die "cannot make a folder in $out/logs"
		n=$((n + 1))
	done
	run_dir=$out/logs/$machine_name-$n
	# logs of old runs are not missed
	rm -rf "$out/logs/$machine_name-$((n - 30))"
}

# Programs of this machine's list, by pattern, in order.
expand_tests()
{
	local pattern name
	local -a patterns

	read -ra patterns <<<"$*"
	for pattern in "${patterns[@]}"; do
		for name in "$built"/t/*; do
			name=${name##*/}
			# shellcheck disable=SC2053 # a pattern it shall be
			if [[ $name == $pattern ]]; then
				printf '%s ' "$name"
			fi
		done
	done
}

# Everything up to QEMU's command line.
run_prepare()
{
	local own=$own_modules m

	new_run_dir
	( cd "$run_dir" && prepare ) || die "cannot prepare the disks of $machine_name"

	# those that are not built are left out only if nothing was built at all
	ls "$built"/m/*.ko >/dev/null 2>&1 || own=''
	own_modules=$own
	# shellcheck disable=SC2086 # a list of words
	initramfs_make "$lab_dir/init" $stock_modules
	initramfs_payload
	initramfs_orders "$run_dir/orders.cpio"
	cat "$base" "$payload" "$run_dir/orders.cpio" >"$run_dir/initramfs"
	rm -f "$run_dir/orders.cpio" "$run_dir/payload.cpio"

	qemu=("$arch_qemu_dir/usr/bin/$arch_qemu" -L /opt/qemu/usr/share/qemu -L /opt/qemu/usr/share/seabios
		-nodefaults -no-user-config -no-reboot -display none -accel tcg,thread=multi -smp "$cpus" -m "$memory"
		"${machine[@]}"
		-kernel "$kernel" -initrd "$run_dir/initramfs"
		-append "console=$arch_console $append"
		-pidfile "$run_dir/qemu.pid"
		-device "virtio-serial-pci,id=ports,$ports_at"
		-chardev "file,id=results,path=$run_dir/results.log"
		-device virtserialport,chardev=results,name=results,bus=ports.0
		-chardev "file,id=alive,path=$run_dir/alive"
		-device virtserialport,chardev=alive,name=alive,bus=ports.0
		"${devices[@]}")
	: >"$run_dir/console.log"
	: >"$run_dir/results.log"
	: >"$run_dir/alive"
}

qemu_kill()
{
	local pid

	pid=$(cat "$run_dir/qemu.pid" 2>/dev/null) || return 0
	[ -n "$pid" ] && [ -d "/proc/$pid" ] || return 0
	kill "$pid" 2>/dev/null || :
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -d "/proc/$pid" ] || return 0
		sleep 0.2
	done
	kill -9 "$pid" 2>/dev/null || :
}

live_filter()
{
	grep --line-buffered -Ev "^(#lab: [a-z]|#gcov )" || :
}

# Bytes written so far by the machine: standing still means that it hangs.
signs_of_life()
{
	stat -c %s "$run_dir/console.log" "$run_dir/results.log" "$run_dir/alive" 2>/dev/null | tr '\n' ' '
}

# What a machine that stands still is doing, while it is still there. QEMU tells
# of its CPUs, twice: one that is halted with interrupts on waits for a timer that
# the emulator owes it, one that runs in the kernel with interrupts off may be our
# own fault. Then a non-maskable interrupt has the kernel say where it was, which
# is taken out of console.log: it is no finding, and panics.
look_at_standstill()
{
	local said cpu

	said=$(stat -c %s "$run_dir/console.log")
	# a QEMU that hangs itself must not take us along
	timeout 30 cat "$run_dir/monitor.out" >"$run_dir/standstill" &
	timeout 30 bash -c '
		exec >"$1/monitor.in"
		for i in 1 2; do
			echo "info registers -a"
			sleep 1
		done
		for cpu in $(seq 0 $(($2 - 1))); do
			echo "info lapic $cpu"
		done
		sleep 1
		echo nmi
		sleep 6' - "$run_dir" "$cpus" || :
	qemu_kill
	wait $! 2>/dev/null || :
	# the monitor repeats what is typed, letter by letter
	sed -E -i 's/\r//; s/.*\x1b\[D([^\x1b]*)\x1b\[K$/(qemu) \1/' "$run_dir/standstill"
	{
		printf '\n--- the kernel, after a non-maskable interrupt:\n'
		tail -c "+$((said + 1))" "$run_dir/console.log"
	} >>"$run_dir/standstill"
	truncate -s "$said" "$run_dir/console.log"
	for ((cpu = 0; cpu < cpus; cpu++)); do
		standstill_cpu "$cpu"
	done >"$run_dir/standstill.cpus"
}

# One line about a CPU, from what QEMU said of it.
standstill_cpu()
{
	awk -v cpu="$1" '
		/^CPU#/ { mine = $1 == "CPU#" cpu }
		mine && /^[ER]IP=/ {
			split($1, at, "=")
			flags = substr($2, 5)
			# bit 9 of the flags
			on = index("2367abef", substr(flags, length(flags) - 2, 1))
			state = /HLT=1/ ? "halted" : /CPL=3/ ? "runs a program" : "runs in the kernel"
			states[++n] = state ", interrupts " (on ? "on" : "off") ", at " at[2]
		}
		END {
			printf "cpu %d: %s", cpu, n ? states[1] : "QEMU does not answer"
			if (n > 1)
				printf "; a second later %s", states[2] == states[1] ? "the same" : states[2]
			print ""
		}' "$run_dir/standstill"
}

# Boots and watches. Sets $ended: '' by itself, or why it was ended.
run_watched()
{
	local pid live_pid='' start=$SECONDS last=$SECONDS signs='' leaving='' now

	ended=''
	printf '%q ' "${qemu[@]}" >"$run_dir/qemu.log"
	printf '\n' >>"$run_dir/qemu.log"
	mkfifo "$run_dir/monitor.in" "$run_dir/monitor.out"
	# the inner timeout is for the case that this script dies
	( cd "$run_dir" && exec "$lab_dir/intree" timeout -k 10 $((total_limit + 60)) "${qemu[@]}" \
		-chardev "pipe,id=monitor,path=$run_dir/monitor" -mon chardev=monitor \
		-serial "file:$run_dir/console.log" >>"$run_dir/qemu.log" 2>&1 </dev/null ) &
	pid=$!
	# what the tests print, as they print it; ends with QEMU
	if [ "$live" = yes ]; then
		tail -n +1 -s 0.2 -f --pid=$pid "$run_dir/results.log" 2>/dev/null | live_filter &
		live_pid=$!
	fi
	trap 'qemu_kill; exit 130' INT TERM HUP
	while kill -0 $pid 2>/dev/null; do
		sleep 0.2
		now=$(signs_of_life)
		if [ "$now" != "$signs" ]; then
			signs=$now
			last=$SECONDS
		elif [ $((SECONDS - last)) -ge "$hang_limit" ]; then
			ended="no sign of life for $hang_limit s"
			look_at_standstill
		fi
		[ $((SECONDS - start)) -lt "$total_limit" ] || ended="longer than $total_limit s"
		# all is said, but the machine cannot go: a lock is held for ever
		if [ -n "$leaving" ]; then
			[ $((SECONDS - leaving)) -lt 20 ] || ended="did not power off within 20 s"
		elif grep -q '^#lab: done' "$run_dir/results.log"; then
			leaving=$SECONDS
		fi
		if [ -n "$ended" ]; then
			qemu_kill
			break
		fi
	done
	wait $pid 2>/dev/null || :
	[ -z "$live_pid" ] || wait "$live_pid" || :
	trap - INT TERM HUP
	rm -f "$run_dir/initramfs" "$run_dir/qemu.pid" "$run_dir"/monitor.*
	[ "$keep_disks" = yes ] || rm -f "$run_dir"/*.raw
}

# The emulator now and then loses a timer of a second CPU; the machine then
# stands still, whatever runs in it (no fault of the kernel or of ours: it was
# seen in boots before init). Such a run tells nothing and is repeated once,
# and the report says so. Only a standstill of the whole machine counts: one in
# which not even the kernel says a word, or in which it blames the emulator.
hung_by_emulator()
{
	case $ended in 'no sign of life'*) ;; *) return 1 ;; esac
	! grep -q 'Kernel panic' "$run_dir/console.log" || return 1
	# A kernel that still has a CPU tells of the other one's lockup. What it says
	# then is a finding, unless it blames the emulator.
	grep -qE 'soft lockup|hard LOCKUP|detected stalls|blocked for more than' "$run_dir/console.log" || return 0
	grep -q "kthread timer wakeup didn't happen" "$run_dir/console.log" ||
		stuck_leaving_kernel
}

# A CPU that took no tick for a whole grace period and is found at the last
# instructions of a system call, on the trampoline stack: no code of the kernel
# waits or loops there, so it is the emulated CPU that stands still.
stuck_leaving_kernel()
{
	awk '/rcu: INFO: rcu_.* detected stalls/ { stall = 1 }
	     stall && /\(0 ticks this GP\)/ { still = 1 }
	     still && /RIP: 0010:syscall_return_via_sysret/ { leaving = 1 }
	     leaving && /<ENTRY_TRAMPOLINE>/ { getline; if (/<\/ENTRY_TRAMPOLINE>/) found = 1 }
	     END { exit !found }' "$run_dir/console.log"
}

# run_machine: mode, run_tests, run_command are set. Prints the report and
# leaves passed, failed, skipped, command_status, retries.
run_machine()
{
	retries=0 hung_dir=''
	run_prepare
	run_watched
	if hung_by_emulator; then
		retries=1 hung_dir=$run_dir
		say "$machine_name: $ended, see $run_dir; the one retry"
		run_prepare
		run_watched
	fi

	run_judge
}

# Leaves passed, failed, skipped, command_status, and the report.
run_judge()
{
	awk -f "$lab_dir/report.awk" -v totals="$run_dir/totals" -v how="$mode" -v ended="$ended" \
		"$run_dir/console.log" "$run_dir/results.log" >"$run_dir/report"
	read -r passed failed skipped command_status <"$run_dir/totals"
	if [ "$retries" -ne 0 ]; then
		printf '    one retry, the first run hung: see standstill in %s\n' "$hung_dir"
		sed 's/^/      /' "$hung_dir/standstill.cpus"
	fi >>"$run_dir/report"
	if [ -e "$run_dir/standstill.cpus" ]; then
		printf '    stood still, see %s\n' "$run_dir/standstill"
		sed 's/^/      /' "$run_dir/standstill.cpus"
	fi >>"$run_dir/report"
	if [ -e "$run_dir/qemu.log" ] && [ ! -s "$run_dir/console.log" ]; then
		sed 1d "$run_dir/qemu.log" | sed 's/^/    /' >>"$run_dir/report"
	fi
	ln -sfn "${run_dir##*/}" "$out/logs/$machine_name"
}

run_shell()
{
	mode=shell run_tests='' run_command='' test_limit=1
	run_prepare
	say "$machine_name: console below, log in $run_dir; Ctrl-A x ends it at once"
	( cd "$run_dir" && exec "$lab_dir/intree" "${qemu[@]}" \
		-chardev "stdio,id=console,mux=on,signal=off,logfile=$run_dir/console.log" \
		-serial chardev:console ) || :
	rm -f "$run_dir/initramfs"
}
