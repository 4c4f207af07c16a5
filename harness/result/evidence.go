package result

// Resent says whether a difference showed again when its first example was asked once more.
type Resent string

// What became of asking again.
const (
	PersistsReduced Resent = "persists reduced" // one item and one property are enough to see it
	PersistsFull    Resent = "persists full"    // with the request as the suite has it
	NotReproduced   Resent = "not reproduced"
	NotResent       Resent = "not re-sent"
)

// Evidence lets somebody else see a difference: one request for each side, as lines for curl, and
// whether the run saw the difference again when it sent them a second time.
type Evidence struct {
	// Left and Right hold no secret, no address and no id: those are shell variables such as
	// $TOKEN_LEFT, $MAILBOX_RIGHT and, for a capture named first, $FIRST_LEFT.
	Left    string `json:"left"`
	Right   string `json:"right"`
	Resent  Resent `json:"resent"`
	Because string `json:"because,omitempty"` // why it was not re-sent, or what may explain that it did not show
}
