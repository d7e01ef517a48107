package bench

import (
	"os"
	"path/filepath"
	"sync"
	"time"
)

// recordSize is about what a session's row, event and record take.
const recordSize = 300

// groupCommit is the limit of durable writes: writers append records to a
// file, and those that wait together share one fsync. It returns the records a
// second.
func groupCommit(dir string, writers int, lasts time.Duration) (Run, error) {
	f, err := os.Create(filepath.Join(dir, "group-commit"))
	if err != nil {
		return Run{}, err
	}
	defer os.Remove(f.Name())
	defer f.Close()

	queue := make(chan chan error, writers)
	go func() {
		record := make([]byte, recordSize*writers)
		var batch []chan error
		for first := range queue {
			batch = append(batch[:0], first)
			for len(queue) > 0 && len(batch) < writers {
				batch = append(batch, <-queue)
			}
			_, err := f.Write(record[:recordSize*len(batch)])
			if err == nil {
				err = f.Sync()
			}
			for _, answer := range batch {
				answer <- err
			}
		}
	}()
	r, err := writeTogether(writers, lasts, func() error {
		answer := make(chan error, 1)
		queue <- answer
		return <-answer
	})
	close(queue)
	return r, err
}

// writeTogether has so many writers write at once until the time is over.
func writeTogether(n int, lasts time.Duration, write func() error) (Run, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	calls := 0
	began := time.Now()
	for range n {
		wg.Go(func() {
			mine := 0
			var err error
			for time.Since(began) < lasts && err == nil {
				if err = write(); err == nil {
					mine++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			calls += mine
			if err != nil {
				failed = err
			}
		})
	}
	wg.Wait()
	return Run{Calls: calls, Elapsed: time.Since(began)}, failed
}
