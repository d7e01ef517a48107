package bench

import (
	"os"
	"runtime"
	"strconv"
	"strings"
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

// cpuOf is the time that a process has used, in clock ticks of 10 ms (proc(5),
// fields 14 and 15 of stat).
func cpuOf(pid int) time.Duration {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	var ticks int
	for _, f := range fields[11:13] {
		n, _ := strconv.Atoi(f)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
