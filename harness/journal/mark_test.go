package journal_test

import (
	"testing"

	"cutover/harness/journal"
)

func TestASubjectIsMarkedByItsBeginning(t *testing.T) {
	const tag = "cutover-20260302T020000Z-nightly"
	for _, row := range []struct {
		name, text       string
		marked, answered bool
	}{
		{"it knows the tag alone", tag, true, false},
		{"it knows the tag before a subject", tag + " hello", true, false},
		{"it knows an answer", "RE: " + tag + " hello", true, true},
		{"it knows an answer to a forwarded message", "AW: WG: " + tag + " hello", true, true},
		{"it knows a cancelled meeting", "Canceled: " + tag + " hello", true, true},
		{"it knows a French one", "Annulé : " + tag, true, true},
		{"it knows a Chinese answer", "答复：" + tag, true, true},
		{"it overlooks one that mentions it", "what is " + tag, false, false},
		{"it overlooks one that asks about it at length", "what on earth is the meaning of this: " + tag, false, false},
		{"it overlooks too many answers", "RE: RE: RE: RE: " + tag, false, false},
		{"it overlooks another run", tag + "2 hello", false, false},
		{"it overlooks another case", "CUTOVER-20260302T020000Z-nightly", false, false},
		{"it overlooks a subject that is empty", "", false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if marked, answered := journal.Marked(row.text, tag); marked != row.marked || answered != row.answered {
				t.Errorf("Marked(%q) = %v, %v; want %v, %v", row.text, marked, answered, row.marked, row.answered)
			}
		})
	}
}
