//go:build !race

package hist_test

// raced tells that the race detector runs, under which sync.Pool forgets at random.
const raced = false
