package doctor

import "slices"

// Hidden is a requirement that cannot be seen from outside, with what shows it.
type Hidden struct {
	What   string `json:"what"`
	Shows  string `json:"shows"` // cmdlet or place
	Expect string `json:"expect"`
}

// NotVisible lists the requirements of hybrid access that need a shell on a
// server or in the tenant.
func NotVisible() []Hidden { return slices.Concat(hiddenOnPrem(), hiddenBetween(), hiddenInCloud()) }

// hiddenFrom are those that mean something to an examination of these paths: nothing
// to a plain HTTP service, and nothing of Exchange Server to the cloud alone.
func hiddenFrom(paths []Path) (all []Hidden) {
	rest := slices.ContainsFunc(paths, func(p Path) bool { return p.Dialect == "rest" })
	graph := slices.ContainsFunc(paths, func(p Path) bool { return p.Dialect == "graph" })
	if rest {
		all = append(all, hiddenOnPrem()...)
	}
	if rest && graph {
		all = append(all, hiddenBetween()...)
	}
	if graph {
		all = append(all, hiddenInCloud()...)
	}
	return all
}

// hiddenOnPrem are about the servers.
func hiddenOnPrem() []Hidden {
	return []Hidden{
		{"mailbox databases are on Exchange 2016 CU3 or later", "Get-MailboxDatabase | fl Name,Server,AdminDisplayVersion", "15.1.544 or later for every database with a tested mailbox"},
		{"/PrepareAD was run with that build", "(Get-ADObject of CN=ms-Exch-Schema-Version-Pt) rangeUpper; HealthChecker shows it", "the value of the newest build in the organisation"},
		{"the Hybrid Configuration Wizard was run", "Get-HybridConfiguration", "the domains and servers of this deployment"},
		{"authorization servers exist and are enabled", "Get-AuthServer | fl Name,Type,Enabled,Realm,IsDefaultAuthorizationEndpoint", "an AzureAD one that is the default, and the token service's"},
		{"Exchange Online is a partner application", "Get-PartnerApplication | fl Enabled,ApplicationIdentifier,LinkedAccount", "00000002-0000-0ff1-ce00-000000000000, enabled, with its linked account"},
		{"the authorization certificate is valid on every server", "Get-AuthConfig | fl CurrentCertificateThumbprint; Get-ExchangeCertificate THUMBPRINT -Server NAME", "present everywhere and not expired"},
		{"the list of token kinds is Exchange's own", "OAuthHttpModule.Profiles in FrontEnd\\HttpProxy\\rest\\web.config, compared with an untouched server", "no V1S2SAppOnly in it: forced in, Graph's refusal changes from 2000001 to 2000008 and nothing else"},
		{"Extended Protection of each virtual directory", "HealthChecker's Extended Protection table", "Require for API, MAPI, OWA and ECP is the default; clients must bind their sign-in"},
	}
}

// hiddenBetween are about what joins the servers and the cloud.
func hiddenBetween() []Hidden {
	return []Hidden{
		{"namespaces are registered with the token service", "Get-MgServicePrincipal of 00000002-0000-0ff1-ce00-000000000000, ServicePrincipalNames", "https://NAMESPACE and https://autodiscover.DOMAIN"},
		{"the firewall lets the cloud in", "cutover doctor --vantage internet, on a machine outside", "/api and /autodiscover/autodiscover.json answer there as they do inside"},
		{"the directory is synchronised", "Get-ADSyncScheduler; Get-MailUser | fl ExternalEmailAddress in the cloud", "every tested mailbox is known on both sides"},
	}
}

// hiddenInCloud are about the tenant.
func hiddenInCloud() []Hidden {
	return []Hidden{
		{"users have the licence they need", "Get-MgUserLicenseDetail", "reports differ on whether mailboxes on premises need one: not asserted"},
	}
}
