package lab_test

import (
	"fmt"
	"io"
	"net/http"

	"github.com/Azure/go-ntlmssp"
)

// windowsSignIn signs in to the REST directory by NTLM, without channel binding.
func (w *world) windowsSignIn() string {
	w.t.Helper()
	transport := w.client.Transport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodGet, w.info.Rest+"/me", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.SetBasicAuth(w.info.ServiceAccount.Login[:8]+w.info.Pairs[0].Name, w.info.Pairs[0].OnPremPassword)
	resp, err := (&http.Client{Transport: ntlmssp.Negotiator{RoundTripper: transport}}).Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return fmt.Sprint(resp.StatusCode)
}
