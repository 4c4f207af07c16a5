package guard

import "cutover/harness/consent"

// LoadConsent reads a consent file. Every mistake in it is reported at once.
func LoadConsent(file string) (*Consent, error) { return consent.Load(file) }

// ParseConsent reads a consent file's content; file names it in messages.
func ParseConsent(file string, data []byte) (*Consent, error) { return consent.Parse(file, data) }
