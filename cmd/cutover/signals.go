package main

import (
	"os"
	"syscall"
)

// stopSignals are the ways in which a user or a scheduler asks a run to end.
// SIGTERM exists on Windows too, as what a closing console sends.
func stopSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }
