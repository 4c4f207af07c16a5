// Package faults makes the lab's services slow, busy and broken on purpose:
// latency models, throttling per app and mailbox, and schedules of faults. All
// of it is seeded; a fault that is scheduled by request number hits the same
// requests on every run.
package faults
