package sts

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
)

// submit is the whole script of the page; the security policy names its digest.
const submit = "document.forms[0].submit()"

var submitDigest = func() string {
	sum := sha256.Sum256([]byte(submit))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

var postPage = parsed("post", `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Signed in to the lab</title></head>
<body><main><h1>Signed in (simulated)</h1><form method="post" action="{{.Action}}">
{{range $name, $values := .Values}}{{range $values}}<input type="hidden" name="{{$name}}" value="{{.}}">
{{end}}{{end}}<p><button>Continue</button></p></form></main><script>`+submit+`</script></body></html>
`)

// post answers with a form that the browser posts to the application
// (response_mode form_post), so that the code stands in no address.
func post(w http.ResponseWriter, redirect string, v url.Values) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; form-action *; script-src "+submitDigest)
	_ = postPage().Execute(w, struct {
		Action string
		Values url.Values
	}{redirect, v})
}
