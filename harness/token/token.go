// Package token explains what a token is and what the servers of a hybrid
// deployment will make of it: from a JWT, its decoded claims, pasted headers
// or the lines of a server's trace, in any mixture.
//
// Rules of explaining:
//   - Nothing is verified: a signature proves something to the server only.
//   - Nothing is printed whole: names, addresses and ids are shortened, the
//     signature and unknown claims never appear.
//   - Servers are matched by code and category; their sentences are evidence.
//   - What is inferred from configuration files, and not promised by anybody,
//     is called likely.
package token

import (
	"errors"
	"strings"
	"time"
)

// Kind is what a token is. Those of access tokens are Exchange's own names of
// token profiles: V1 is the format of Entra, S2S the older server-to-server
// format, ActAs is with a user, AppOnly without one.
type Kind string

// The kinds.
const (
	V1AppActAs   Kind = "V1AppActAs"
	V1AppOnly    Kind = "V1AppOnly"
	V1S2SActAs   Kind = "V1S2SActAs"
	V1S2SAppOnly Kind = "V1S2SAppOnly"
	S2SAppActAs  Kind = "S2SAppActAs"
	S2SAppOnly   Kind = "S2SAppOnly"
	V2ActAs      Kind = "version 2.0 with a user"
	V2AppOnly    Kind = "version 2.0 without a user"
	Callback     Kind = "Callback"
	Identity     Kind = "add-in identity token"
	ID           Kind = "ID token"
	Refresh      Kind = "refresh token"
	Opaque       Kind = "opaque token"
	Encrypted    Kind = "encrypted token"
)

// Options are what the explanation is held against. Empty fields are not judged.
type Options struct {
	Now    time.Time // the moment of judging; zero leaves times unjudged
	Tenant string    // id of the deployment's tenant
	// Hosts are the names of the on-premises namespace that tokens are meant
	// for, such as mail.contoso.com.
	Hosts []string
}

// Level is how much something matters.
type Level string

// The levels.
const (
	Good Level = "ok"
	Warn Level = "warn"
	Fail Level = "fail"
)

// Fact is one thing that a token or a server says, in words.
type Fact struct{ Name, Value string }

// Judgement is something that is right or wrong, with what to do.
type Judgement struct {
	Level  Level
	What   string
	Remedy string // "" when there is nothing to do
}

// Verdict says whether a service would accept a token.
type Verdict string

// The verdicts.
const (
	Accepted Verdict = "likely"
	Doubtful Verdict = "doubtful"
	Rejected Verdict = "no"
)

// Prediction is what one service or virtual directory would make of a token.
type Prediction struct {
	Service string // "Graph", "Exchange Online", "/api", "/EWS" …
	Verdict Verdict
	Code    int // x-ms-diagnostics that Exchange would answer, 0 for none
	Why     string
}

// Token is one token of the input, explained.
type Token struct {
	Kind        Kind
	About       string // what such a token is for
	Facts       []Fact
	Judgements  []Judgement
	Predictions []Prediction
}

// Diagnostic is one refusal by Exchange found in the input.
type Diagnostic struct {
	Code     int    // of x-ms-diagnostics
	Category string // error_category as the server named it
	Reason   string // the server's sentence: evidence, redacted
	Meaning  string
	Remedy   string
	Refused  Kind // kind of the token that was refused, when the sentence names it; "" otherwise
}

// Report is everything that the input says.
type Report struct {
	Tokens      []Token
	Diagnostics []Diagnostic
	Facts       []Fact // about servers, from headers
	// Conclusion joins it all: which token was refused and what to do. Empty
	// when nothing was refused.
	Conclusion []string
}

// ErrNothing is returned for input that holds nothing to explain.
var ErrNothing = errors.New("there is no token, claims, header or trace line in this text: paste a token, its decoded claims, the headers of a refusal or the server's trace")

// MaxInput bounds the text: a trace of one request is some 200 KiB.
const MaxInput = 4 << 20

// Explain reads text and explains every token and refusal in it.
func Explain(text string, o Options) (*Report, error) {
	if len(text) > MaxInput {
		return nil, errors.New("the text is larger than 4 MiB: cut out the request in question")
	}
	r := &Report{}
	rest := text
	for _, c := range findTokens(&rest) {
		r.Tokens = append(r.Tokens, explain(c, o))
	}
	r.Diagnostics = findDiagnostics(rest)
	r.Facts = findServers(rest)
	if len(r.Tokens) == 0 && len(r.Diagnostics) == 0 && len(r.Facts) == 0 {
		if t, ok := opaque(strings.TrimSpace(text)); ok {
			r.Tokens = append(r.Tokens, t)
			return r, nil
		}
		return nil, ErrNothing
	}
	r.conclude()
	return r, nil
}

// opaque recognises tokens that only their issuer can read. Their forms are
// general knowledge, promised by nobody.
func opaque(s string) (Token, bool) {
	s = strings.TrimSpace(strings.TrimPrefix(s, "Bearer "))
	if len(s) < 40 || strings.ContainsAny(s, " \t\r\n{}<>") {
		return Token{}, false
	}
	refresh := strings.HasPrefix(s, "0.A") || strings.HasPrefix(s, "1.A") || strings.HasPrefix(s, "M.")
	if refresh {
		return Token{Kind: Refresh, About: "It is exchanged for access tokens at the token service and means nothing to a mailbox.",
			Judgements:  []Judgement{{Fail, "this is a refresh token (likely, by its form)", "send the access_token of the same answer; and treat this text as a password: it signs in for months"}},
			Predictions: nowhere("a refresh token is for the token service alone")}, true
	}
	if parts := strings.Split(s, "."); len(parts) == 5 {
		return Token{Kind: Encrypted, About: "Only the service that it is meant for can read it.", Predictions: nil}, true
	}
	return Token{Kind: Opaque, About: "Only its issuer can read it. Consumer accounts (outlook.com) and some first-party services get such tokens for Graph.",
		Judgements: []Judgement{{Warn, "the token cannot be read, so nothing can be predicted for the cloud", ""}},
		Predictions: append([]Prediction{{Service: "Graph", Verdict: Doubtful, Why: "valid for a consumer account's mailbox, if it is an access token"}},
			onPrem(Rejected, 2000001, "Exchange reads JWTs only")...)}, true
}

// nowhere is the prediction for what is no access token.
func nowhere(why string) []Prediction {
	all := []Prediction{{Service: "Graph", Verdict: Rejected, Why: why}, {Service: "Exchange Online", Verdict: Rejected, Why: why}}
	return append(all, onPrem(Rejected, 2000001, why)...)
}

func onPrem(v Verdict, code int, why string) []Prediction {
	var all []Prediction
	for _, d := range directories {
		all = append(all, Prediction{Service: d.name, Verdict: v, Code: code, Why: why})
	}
	return all
}
