package conform

import "regexp"

// veiledProse finds the pseudonym in a veiled text, however it is spelt around it.
var veiledProse = regexp.MustCompile(`(?:text|id)\(\d+\) +(?:&#35;|#)[0-9a-f]+`)

// veiledText shows a text that is a pseudonym already. Pseudonyms that look like moments or addresses are
// shown as pseudonyms: nobody is to take them for the real ones.
func (m masker) veiledText(s string) string {
	if found := veiledProse.FindString(s); found != "" {
		return found
	}
	if _, _, ok := parseInstant(s); ok {
		return "moment " + m.pseudonym(s)
	}
	if _, ok := parseClock(s); ok {
		return "time " + m.pseudonym(s)
	}
	return "text " + m.pseudonym(s)
}
