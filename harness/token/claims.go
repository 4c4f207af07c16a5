package token

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// claims are what a token says, as far as it is known here.
type claims struct {
	Aud     audience  `json:"aud"`
	Iss     string    `json:"iss"`
	Iat     stamp     `json:"iat"`
	Nbf     stamp     `json:"nbf"`
	Exp     stamp     `json:"exp"`
	AppID   string    `json:"appid"`
	Azp     string    `json:"azp"`
	AppName string    `json:"app_displayname"`
	Proof   string    `json:"appidacr"`
	Proof2  string    `json:"azpacr"`
	IDTyp   string    `json:"idtyp"`
	Scp     string    `json:"scp"`
	Roles   []string  `json:"roles"`
	Tid     string    `json:"tid"`
	Oid     string    `json:"oid"`
	UPN     string    `json:"upn"`
	Unique  string    `json:"unique_name"`
	Pref    string    `json:"preferred_username"`
	SMTP    string    `json:"smtp"`
	NameID  string    `json:"nameid"`
	Ver     string    `json:"ver"`
	Nonce   string    `json:"nonce"`
	AtHash  string    `json:"at_hash"`
	CHash   string    `json:"c_hash"`
	Actor   string    `json:"actortoken"`
	Appctx  appctx    `json:"appctx"`
	Amr     []string  `json:"amr"`
	S2S     bool      `json:"x_s2s"`
	Version string    `json:"version"`
	Head    header    `json:"-"`
	Signed  bool      `json:"-"` // a JWT with a signature, not decoded claims
	JWT     bool      `json:"-"`
	Issued  time.Time `json:"-"`
}

type header struct {
	Alg string `json:"alg"`
	Typ string `json:"typ"`
	Kid string `json:"kid"`
	X5t string `json:"x5t"`
}

// audience accepts one text or a list, as the standard allows.
type audience string

// UnmarshalJSON takes the text, or the first of a list.
func (a *audience) UnmarshalJSON(data []byte) error {
	var list []string
	if json.Unmarshal(data, &list) == nil && len(list) > 0 {
		*a = audience(list[0])
		return nil
	}
	return json.Unmarshal(data, (*string)(a))
}

// stamp accepts seconds as a number or as text, as pasted claims have both.
type stamp int64

// UnmarshalJSON takes whole seconds; what cannot be read is left out.
func (s *stamp) UnmarshalJSON(data []byte) error {
	var f float64
	if json.Unmarshal([]byte(strings.Trim(string(data), `"`)), &f) == nil && f > 0 && f < 1e11 {
		*s = stamp(f)
	}
	return nil
}

func (s stamp) time() time.Time { return time.Unix(int64(s), 0).UTC() }

// appctx is the user context of server-to-server and add-in tokens: an object,
// or an object within a text.
type appctx struct {
	Version  string `json:"version"`
	Protocol string `json:"msexchprot"`
	Present  bool   `json:"-"`
}

// UnmarshalJSON takes both forms.
func (a *appctx) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		data = []byte(text)
	}
	type plain appctx
	json.Unmarshal(data, (*plain)(a)) // what cannot be read is left out
	a.Present = true
	return nil
}

var jwtShape = lazy(`eyJ[A-Za-z0-9_-]+={0,2}\.[A-Za-z0-9_-]*={0,2}(?:\.[A-Za-z0-9_-]*={0,2}){0,3}`)

// findTokens takes the tokens and decoded claims out of text, so that what is
// left holds no token.
func findTokens(text *string) (found []claims) {
	rest := jwtShape().ReplaceAllStringFunc(*text, func(s string) string {
		if c, ok := decode(s); ok {
			found = append(found, c)
			return "***"
		}
		return s
	})
	var left strings.Builder
	for rest != "" {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			break
		}
		left.WriteString(rest[:open])
		c, size, ok := decoded(rest[open:])
		if ok {
			found = append(found, c)
		} else {
			left.WriteString(rest[open : open+size])
		}
		rest = rest[open+size:]
	}
	left.WriteString(rest)
	*text = left.String()
	return found
}

// decode reads a JWT without verifying it.
func decode(s string) (c claims, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > 3 {
		return c, false
	}
	if !part(parts[0], &c.Head) || !part(parts[1], &c) || c.Head.Alg == "" {
		return c, false
	}
	c.JWT, c.Signed = true, len(parts) == 3 && parts[2] != ""
	return c, true
}

func part(s string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	return err == nil && json.Unmarshal(b, into) == nil
}

// decoded reads an object of claims at the beginning of s and tells how much
// of s it took; without one that is the brace alone.
func decoded(s string) (c claims, size int, ok bool) {
	d := json.NewDecoder(strings.NewReader(s))
	var raw json.RawMessage
	if d.Decode(&raw) != nil || json.Unmarshal(raw, &c) != nil {
		return claims{}, 1, false
	}
	if c.Aud == "" && c.Iss == "" || c.Exp == 0 && c.Tid == "" && c.Scp == "" && c.Roles == nil {
		return claims{}, 1, false
	}
	return c, int(d.InputOffset()), true
}

// Application ids of Microsoft that decide what a token is.
const (
	exchangeApp = "00000002-0000-0ff1-ce00-000000000000"
	graphApp    = "00000003-0000-0000-c000-000000000000"
	issuerACS   = "00000001-0000-0000-c000-000000000000"
)

// kind classifies by claims, by the reading of Exchange's names in the
// captured configuration of 2016 and 2019: an inference.
func (c *claims) kind() Kind {
	user := c.Scp != "" || c.UPN != "" || c.Unique != "" || c.Pref != ""
	app := c.AppID != "" || c.Azp != ""
	switch {
	case strings.HasPrefix(c.Appctx.Version, "ExIdTok"), strings.HasPrefix(c.Version, "ExIdTok"):
		return Identity
	case strings.HasPrefix(c.Iss, exchangeApp):
		return Callback
	case c.Actor != "":
		return S2SAppActAs
	case strings.HasPrefix(c.Iss, issuerACS):
		if c.Appctx.Present || c.SMTP != "" || c.UPN != "" {
			return S2SAppActAs
		}
		return S2SAppOnly
	case c.Scp == "" && len(c.Roles) == 0 && c.IDTyp == "" && (!app && user || c.Nonce != "" || c.AtHash != "" || c.CHash != ""):
		return ID
	case c.Ver == "2.0" && c.Scp != "":
		return V2ActAs
	case c.Ver == "2.0":
		return V2AppOnly
	}
	relayed := c.S2S || c.AppID == graphApp
	switch {
	case c.Scp != "" && relayed:
		return V1S2SActAs
	case c.Scp != "":
		return V1AppActAs
	case relayed:
		return V1S2SAppOnly
	}
	return V1AppOnly
}

// user is whom the token speaks for.
func (c *claims) user() string {
	for _, name := range []string{c.UPN, c.Pref, c.Unique, c.SMTP} {
		if name != "" {
			return name
		}
	}
	return ""
}

// veil shortens a name or an id: enough to recognise it, not enough to use it.
func veil(s string) string {
	if at := strings.LastIndexByte(s, '@'); at > 0 {
		return s[:1] + "***" + s[at:]
	}
	const head = 8
	if len(s) <= head {
		return s
	}
	return s[:head] + "…"
}

// facts tells what the token says, in the order in which a person asks.
func (c *claims) facts() (all []Fact) {
	add := func(name, format string, args ...any) { all = append(all, Fact{name, fmt.Sprintf(format, args...)}) }
	add("for", "%s", named(string(c.Aud)))
	switch app := c.AppID + c.Azp; {
	case app != "" && c.AppName != "":
		add("application", "%s (%s)", named(app), clean(c.AppName))
	case app != "":
		add("application", "%s", named(app))
	}
	if user := c.user(); user != "" {
		add("user", "%s", clean(veil(user)))
	}
	if c.Oid != "" {
		add("object", "%s", clean(veil(c.Oid)))
	}
	if c.Tid != "" {
		add("tenant", "%s", clean(c.Tid))
	}
	if c.Scp != "" {
		add("may, for the user", "%s", clean(c.Scp))
	}
	if len(c.Roles) > 0 {
		add("may, by itself", "%s", clean(strings.Join(c.Roles, " ")))
	}
	if c.Iss != "" {
		add("issued by", "%s", clean(c.Iss))
	}
	if c.Ver != "" {
		add("format", "version %s", clean(c.Ver))
	}
	if proof := c.Proof + c.Proof2; proof != "" {
		words := map[string]string{"0": "nothing (a public client)", "1": "a secret", "2": "a certificate"}
		add("application proved by", "%s", orElse(words[proof], clean(proof)))
	}
	if len(c.Amr) > 0 {
		add("user proved by", "%s", clean(strings.Join(c.Amr, ", ")))
	}
	if c.Iat > 0 {
		add("issued at", "%s", c.Iat.time().Format(time.RFC3339))
	}
	if c.Exp > 0 {
		life := ""
		if from := max(c.Nbf, c.Iat); from > 0 && c.Exp > from {
			life = fmt.Sprintf(" (%s long)", age(time.Duration(c.Exp-from)*time.Second))
		}
		add("ends at", "%s%s", c.Exp.time().Format(time.RFC3339), life)
	}
	if c.JWT {
		add("signed with", "%s, key %s", clean(orElse(c.Head.Alg, "nothing")), clean(veil(orElse(c.Head.Kid, orElse(c.Head.X5t, "unnamed")))))
	}
	return all
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// clean keeps a claim from speaking to the terminal: control characters go, and
// long values are cut.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, s)
	const longest = 400
	if runes := []rune(s); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return s
}

// named adds what a well-known id or address stands for.
func named(s string) string {
	names := map[string]string{
		exchangeApp: "Exchange", graphApp: "Microsoft Graph", issuerACS: "Access Control Service",
		"https://graph.microsoft.com": "Microsoft Graph", "https://outlook.office365.com": "Exchange Online", "https://outlook.office.com": "Exchange Online",
	}
	bare := strings.TrimSuffix(strings.ToLower(s), "/")
	bare, _, _ = strings.Cut(strings.TrimPrefix(bare, "spn:"), "@")
	if name := names[bare]; name != "" && !strings.EqualFold(name, s) {
		return clean(s) + " (" + name + ")"
	}
	return clean(orElse(s, "nobody in particular"))
}
