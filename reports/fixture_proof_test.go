package reports_test

import "cutover/harness/result"

// prove gives the fixture what a run found out about its differences beyond their values.
func prove(r *result.Result) {
	f := &r.Findings[0]
	f.ShareLow, f.ShareHigh = max(0, f.Share-0.02), min(1, f.Share+0.03)
	f.Pressure = "only from 40/s on: in 61 of 200 pairs there, in none of 100 below"
	f.Evidence = &result.Evidence{
		Left:   `curl -sS --ntlm -u "$USER_LEFT:$PASSWORD_LEFT" "$ROOT_LEFT/me/Messages/${FIRST_LEFT}?\$select=Body"`,
		Right:  `curl -sS -H "Authorization: Bearer $TOKEN_RIGHT" -H "Prefer: outlook.body-content-type=\"html\"" "$ROOT_RIGHT/users/${MAILBOX_RIGHT}/messages/${FIRST_RIGHT}?\$select=body"`,
		Resent: result.PersistsReduced,
	}
	r.Findings[1].Evidence = &result.Evidence{Left: `curl -sS "$ROOT_LEFT/me/Messages"`, Right: `curl -sS "$ROOT_RIGHT/me/messages"`,
		Resent: result.NotResent, Because: "it takes every page of the list to see it"}
	r.Comparison.ByLoad = []result.LoadBand{
		{From: 10, To: 10, Pairs: 100, ShareHigh: 0.037},
		{From: 12.5, To: 15.8, Pairs: 140, Different: 3, Share: 0.0214, ShareLow: 0.0073, ShareHigh: 0.0611},
		{From: 40, To: 40, Pairs: 200, Different: 61, Share: 0.305, ShareLow: 0.2453, ShareHigh: 0.3720, Unavailable: 4},
	}
	r.Clusters = []result.Cluster{{
		Cause: f.ID + " at " + f.Step + " " + f.Pointer, Scenario: f.Scenario, Fingerprints: []string{f.Fingerprint, r.Findings[2].Fingerprint},
		IDs: []string{f.ID, r.Findings[2].ID}, Count: f.Count, Share: f.Share, ShareLow: f.ShareLow, ShareHigh: f.ShareHigh,
	}}
}
