package lab

import "cutover/harness/lab/store"

// Names lists the names of the twin mailboxes that a lab of this seed and size has, in its order, without
// starting one.
func Names(seed uint64, mailboxes int) []string {
	pairs := store.New(store.Config{Seed: seed, Pairs: mailboxes}).Pairs()
	names := make([]string, len(pairs))
	for i := range pairs {
		names[i] = pairs[i].Name
	}
	return names
}
