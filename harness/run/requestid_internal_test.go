package run

import (
	"strings"
	"testing"
)

func TestRequestIDsAreUniqueAndRepeatable(t *testing.T) {
	seen := map[string]bool{}
	for _, seed := range []uint64{0, 1, 7} {
		for side := range 2 {
			for arrival := range uint64(200) {
				for asked := range uint32(5) {
					id := requestID(seed, side, arrival, asked)
					if len(id) != 36 || id[14] != '8' || !strings.HasPrefix(id, RequestPrefix) {
						t.Fatalf("requestID(%d, %d, %d, %d) = %q, want a version 8 UUID that begins with %s", seed, side, arrival, asked, id, RequestPrefix)
					}
					if seen[id] {
						t.Fatalf("requestID(%d, %d, %d, %d) = %q, which another request has", seed, side, arrival, asked, id)
					}
					if again := requestID(seed, side, arrival, asked); again != id {
						t.Fatalf("requestID(%d, %d, %d, %d) = %q, then %q", seed, side, arrival, asked, id, again)
					}
					seen[id] = true
				}
			}
		}
	}
}
