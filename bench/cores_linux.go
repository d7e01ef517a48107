package bench

import (
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The server has one core and the load another, so that neither measures the
// other. With a single core they share it.
var serverCore, loadCore = cores()

func cores() (server, load unix.CPUSet) {
	var all unix.CPUSet
	if unix.SchedGetaffinity(0, &all) != nil || all.Count() < 2 {
		return all, all
	}
	for cpu, found := 0, 0; found < 2; cpu++ {
		if !all.IsSet(cpu) {
			continue
		}
		if found == 0 {
			server.Set(cpu)
		} else {
			load.Set(cpu)
		}
		found++
	}
	return server, load
}

// onServerCore runs f on the server's core; what it starts stays there.
func onServerCore(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var old unix.CPUSet
	if err := unix.SchedGetaffinity(0, &old); err != nil {
		return err
	}
	if err := unix.SchedSetaffinity(0, &serverCore); err != nil {
		return err
	}
	defer unix.SchedSetaffinity(0, &old)
	return f()
}

// toLoadCore moves this whole process to the load's core.
func toLoadCore() error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			if err := unix.SchedSetaffinity(id, &loadCore); err != nil && err != unix.ESRCH {
				return err
			}
		}
	}
	return nil
}

// cpuOf is the time that a process has used, to the nanosecond: by its own CPU
// clock (clock_getcpuclockid(3)), as the kernel counts it for the scheduler.
func cpuOf(pid int) time.Duration {
	const scheduled = 2
	var used unix.Timespec
	if unix.ClockGettime(int32(^pid<<3|scheduled), &used) != nil {
		return 0
	}
	return time.Duration(used.Nano())
}
