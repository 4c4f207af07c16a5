package profiles_test

import (
	"testing"

	"cutover/profiles"
)

func TestASuiteIsNoProfile(t *testing.T) {
	_, err := profiles.Parse("s.yaml", []byte("suite: s\nscenarios: []\n"))
	want := "s.yaml:1:1: this is a suite, which says what to ask: give it without --profile, which wants a deployment"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
