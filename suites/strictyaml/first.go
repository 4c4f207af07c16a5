package strictyaml

import (
	"bytes"
	"regexp"
)

var topKey = regexp.MustCompile(`(?m)^([a-z_]+)\s*:`)

// First finds the first of some keys that begins a line of a document, and where. It reads
// no YAML, so that it can tell which language a document is written in before that
// language is chosen. key is "" when none does.
func First(file string, data []byte, keys ...string) (key string, at Pos) {
	for _, m := range topKey.FindAllSubmatchIndex(data, -1) {
		name := string(data[m[2]:m[3]])
		for _, k := range keys {
			if k == name {
				return k, Pos{file, 1 + bytes.Count(data[:m[0]], []byte("\n")), 1}
			}
		}
	}
	return "", Pos{}
}
