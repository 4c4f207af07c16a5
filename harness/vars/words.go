package vars

import "strconv"

// The words are those of an office. A few carry accents, other scripts or an emoji, because
// text that is all ASCII hides what goes wrong with encodings.
var (
	nouns = []string{
		"agenda", "audit", "backup", "badge", "budget", "calendar", "canteen", "checklist", "contract",
		"customer", "delivery", "desk", "draft", "estimate", "expense", "forecast", "handover", "holiday",
		"invoice", "kickoff", "laptop", "ledger", "licence", "mailbox", "meeting", "migration", "minutes",
		"notice", "offer", "onboarding", "order", "outage", "parking", "payroll", "phone", "plan", "policy",
		"printer", "project", "proposal", "quarter", "quote", "release", "reminder", "report", "review",
		"roadmap", "room", "rota", "schedule", "server", "shift", "signature", "supplier", "survey",
		"ticket", "timesheet", "training", "travel", "update", "visitor", "warranty", "workshop",
		"café", "façade", "Übergabe", "résumé", "отчёт", "会議", "תקציב", "naïveté",
	}
	verbs = []string{
		"approve", "archive", "cancel", "check", "close", "confirm", "correct", "discuss", "extend",
		"finish", "forward", "move", "open", "order", "plan", "prepare", "print", "renew", "review",
		"send", "share", "sign", "update", "verify",
	}
	places = []string{
		"Aarhus", "Bilbao", "Bratislava", "Gdańsk", "Göteborg", "Graz", "Košice", "Kraków", "Leeds", "Lyon",
		"Malmö", "Porto", "Tampere", "Trieste", "Turin", "Utrecht", "Zürich",
	}
	givenNames = []string{
		"Ada", "Ana", "Ben", "Björn", "Chen", "Daria", "Elif", "Emeka", "Fatima", "Grace", "Hiro", "Ines",
		"Jonas", "Karim", "Lena", "Mateo", "Noor", "Olga", "Pavel", "Quinn", "Rosa", "Siobhán", "Tomás", "Zoë",
	}
	surnames = []string{
		"Adeyemi", "Bauer", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova", "Jansen",
		"Kowalski", "Lindqvist", "Moreau", "Nakamura", "O’Brien", "Papadopoulos", "Rossi", "Sørensen", "Tanaka", "Yılmaz",
	}
	lawForms = []string{"AG", "AB", "BV", "GmbH", "Ltd", "S.A.", "SpA", "Oy"}
)

func appendWords(dst []byte, s *stream, size int) []byte {
	for i := range size {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, s.pick(nouns)...)
	}
	return dst
}

func appendSubject(dst []byte, s *stream, _ int) []byte {
	if s.below(3) == 0 {
		dst = append(dst, "Re: "...)
	}
	dst = append(dst, s.pick(places)...)
	dst = append(dst, ": "...)
	dst = append(dst, s.pick(verbs)...)
	dst = append(dst, " the "...)
	dst = append(dst, s.pick(nouns)...)
	if s.below(12) == 0 {
		dst = append(dst, " 📎"...)
	}
	return dst
}

func appendSentence(dst []byte, s *stream) []byte {
	dst = append(dst, "Please "...)
	dst = append(dst, s.pick(verbs)...)
	dst = append(dst, " the "...)
	dst = append(dst, s.pick(nouns)...)
	dst = append(dst, " for the "...)
	dst = append(dst, s.pick(nouns)...)
	dst = append(dst, " in "...)
	dst = append(dst, s.pick(places)...)
	return append(dst, '.')
}

// appendText appends sentences until about size bytes are there.
func appendText(dst []byte, s *stream, size int) []byte {
	for start := len(dst); len(dst)-start < size; {
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = appendSentence(dst, s)
	}
	return dst
}

func appendName(dst []byte, s *stream, _ int) []byte {
	dst = append(dst, s.pick(givenNames)...)
	dst = append(dst, ' ')
	return append(dst, s.pick(surnames)...)
}

func appendCompany(dst []byte, s *stream, _ int) []byte {
	dst = append(dst, s.pick(surnames)...)
	dst = append(dst, ' ')
	return append(dst, s.pick(lawForms)...)
}

// appendPhone stays in the range that is reserved for fiction: 555-0100 to 555-0199.
func appendPhone(dst []byte, s *stream, _ int) []byte {
	dst = append(dst, "+1 202 555 01"...)
	dst = strconv.AppendInt(dst, int64(s.below(10)), 10)
	return strconv.AppendInt(dst, int64(s.below(10)), 10)
}

// appendInt appends a whole number from 1 to size.
func appendInt(dst []byte, s *stream, size int) []byte {
	return strconv.AppendInt(dst, int64(1+s.below(size)), 10)
}

const lowerHex = "0123456789abcdef"

func appendHex(dst []byte, s *stream, size int) []byte {
	for range size {
		dst = append(dst, lowerHex[s.below(16)])
	}
	return dst
}

// appendGUID appends a random (version 4) UUID.
func appendGUID(dst []byte, s *stream, _ int) []byte {
	for i := range 36 {
		switch i {
		case 8, 13, 18, 23:
			dst = append(dst, '-')
		case 14:
			dst = append(dst, '4')
		case 19:
			dst = append(dst, lowerHex[8+s.below(4)])
		default:
			dst = append(dst, lowerHex[s.below(16)])
		}
	}
	return dst
}
