package clean_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Nothing that a test started is left running, whatever the test did to it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
