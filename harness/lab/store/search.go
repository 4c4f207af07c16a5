package store

import (
	"slices"
	"strconv"
	"strings"

	"cutover/harness/lab/odata"
)

// Search reads the part of KQL that matters for mail: words that must all be
// there, property:value terms, OR between terms, NOT and a minus before one.
func Search(text string) func(*Message) bool {
	var groups [][]func(*Message) bool
	var all []func(*Message) bool
	negate := false
	for _, word := range searchWords(text) {
		switch word {
		case "AND":
			continue
		case "OR":
			groups, all = append(groups, all), nil
			continue
		case "NOT":
			negate = true
			continue
		}
		test := searchTerm(strings.TrimPrefix(word, "-"))
		if negate != strings.HasPrefix(word, "-") {
			inner := test
			test = func(m *Message) bool { return !inner(m) }
		}
		negate = false
		all = append(all, test)
	}
	groups = append(groups, all)
	return func(m *Message) bool {
		return slices.ContainsFunc(groups, func(tests []func(*Message) bool) bool {
			for _, t := range tests {
				if !t(m) {
					return false
				}
			}
			return len(tests) > 0
		})
	}
}

// searchWords splits at spaces outside of quotes and brackets' own signs.
func searchWords(text string) []string {
	var words []string
	var word strings.Builder
	quoted := false
	for _, r := range strings.ReplaceAll(text, `\"`, `"`) {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ' ' && !quoted, r == '(' && !quoted, r == ')' && !quoted:
			if word.Len() > 0 {
				words = append(words, word.String())
				word.Reset()
			}
		default:
			word.WriteRune(r)
		}
	}
	if word.Len() > 0 {
		words = append(words, word.String())
	}
	return words
}

func searchTerm(term string) func(*Message) bool {
	at := strings.IndexAny(term, ":<>=")
	var name, value string
	if at > 0 {
		name, value = term[:at], strings.TrimPrefix(term[at:], ":")
	}
	if at <= 0 {
		return func(m *Message) bool { return inText(term, m.Subject) || anyone(term, m.From) || inBody(m, term) }
	}
	switch strings.ToLower(name) {
	case "subject":
		return func(m *Message) bool { return inText(value, m.Subject) }
	case "body":
		return func(m *Message) bool { return inBody(m, value) }
	case "from":
		return func(m *Message) bool { return anyone(value, m.From) }
	case "to":
		return func(m *Message) bool { return among(value, m.To) }
	case "cc":
		return func(m *Message) bool { return among(value, m.Cc) }
	case "bcc":
		return func(m *Message) bool { return among(value, m.Bcc) }
	case "recipients":
		return func(m *Message) bool { return among(value, m.To, m.Cc, m.Bcc) }
	case "participants":
		return func(m *Message) bool { return anyone(value, m.From) || among(value, m.To, m.Cc, m.Bcc) }
	case "hasattachment", "hasattachments":
		return func(m *Message) bool { return m.Attached == strings.EqualFold(value, "true") }
	case "importance":
		if strings.EqualFold(value, "medium") {
			value = "normal"
		}
		return func(m *Message) bool { return strings.EqualFold(m.Importance, value) }
	case "attachment":
		return func(m *Message) bool {
			return slices.ContainsFunc(m.Attachments(), func(a *Attachment) bool { return inText(value, a.Name) })
		}
	case "received", "sent":
		return dateTerm(strings.EqualFold(name, "sent"), value)
	case "size":
		return sizeTerm(value)
	case "kind":
		return func(m *Message) bool {
			return strings.EqualFold(value, "email") || strings.EqualFold(value, "meetings") && m.Meeting != nil
		}
	}
	return func(m *Message) bool { return inText(term, m.Subject) || inBody(m, term) }
}

func inText(part, text string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(strings.TrimSuffix(part, "*")))
}

func inBody(m *Message, part string) bool {
	b := m.Body()
	if b.Kind == "html" {
		b.Content = PlainText(b.Content)
	}
	return inText(part, b.Content)
}

func anyone(part string, a *Address) bool {
	return a != nil && (inText(part, a.Name) || inText(part, a.Address))
}

func among(part string, lists ...[]Address) bool {
	for _, list := range lists {
		for _, a := range list {
			if anyone(part, &a) {
				return true
			}
		}
	}
	return false
}

// comparison splits an operator off a value: >=, <=, >, <, =.
func comparison(value string) (op, rest string) {
	for _, op := range []string{">=", "<=", ">", "<", "="} {
		if rest, ok := strings.CutPrefix(value, op); ok {
			return op, rest
		}
	}
	return "=", value
}

func holds(op string, n int) bool {
	switch op {
	case ">=":
		return n >= 0
	case "<=":
		return n <= 0
	case ">":
		return n > 0
	case "<":
		return n < 0
	}
	return n == 0
}

func dateTerm(sent bool, value string) func(*Message) bool {
	op, text := comparison(value)
	day, ok := odata.ParseTime(text)
	return func(m *Message) bool {
		at := m.Received
		if sent {
			at = m.Sent
		}
		if len(text) == len("2006-01-02") {
			at = at.Truncate(24 * 60 * 60 * 1e9)
		}
		return ok && holds(op, at.Compare(day))
	}
}

func sizeTerm(value string) func(*Message) bool {
	op, text := comparison(value)
	n, err := strconv.Atoi(text)
	return func(m *Message) bool { return err == nil && holds(op, m.Size()-n) }
}
