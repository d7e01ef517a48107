package session

import "syscall"

// preferHuge asks for huge pages behind the memory. A kernel that has none to
// give serves it as before.
func preferHuge(b []byte) { syscall.Madvise(b, syscall.MADV_HUGEPAGE) }
