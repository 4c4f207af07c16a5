package journal

import "strings"

// answers is how many words such as "RE: " may stand before a subject: a cancelled
// meeting that was forwarded and answered has three.
const answers = 3

// longest is the length in bytes of the longest such word that is believed, in any
// language.
const longest = 32

// Marked tells whether a subject or name begins with a run's tag. answered tells that
// words of a server stand before it, as in "RE: tag" and "Canceled: tag": what was sent
// in answer to an item of the run, or about it.
func Marked(text, tag string) (marked, answered bool) {
	for range answers + 1 {
		if rest, found := strings.CutPrefix(text, tag); found && (rest == "" || !alphanumeric(rest[0])) {
			return true, answered
		}
		var found bool
		if text, found = Unanswered(text); !found {
			return false, false
		}
		answered = true
	}
	return false, false
}

// Unanswered takes one word such as "RE: " off the beginning of a subject. found is
// false when there is none.
func Unanswered(text string) (rest string, found bool) {
	for _, colon := range []string{": ", "："} {
		before, after, found := strings.Cut(text, colon)
		if found && before != "" && len(before) <= longest {
			return strings.TrimLeft(after, " "), true
		}
	}
	return text, false
}

// alphanumeric tells a tag that goes on from one that has ended.
func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
