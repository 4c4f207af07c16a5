package plan

import (
	"cutover/harness/paths"
	"cutover/harness/request"
	"cutover/harness/wire"
	"cutover/suites"
)

// changes tells whether an effect is a write.
func changes(e wire.Effect) bool { return e.Writes || e.Deletes || e.Mails || e.Creates != "" }

// wouldWrite tells whether an operation counted as a write without the suite's word.
func (c *compiler) wouldWrite(side Side, op suites.Operation, ownWords bool) bool {
	op.Reads = false
	prepare := side.Adapter.Prepare
	if ownWords {
		prepare = func(op suites.Operation) (*request.Template, error) { return paths.Verbatim(side.Adapter, op) }
	}
	t, err := prepare(op)
	return err == nil && changes(t.Effect)
}

// Believed names the first step of which only the suite's word says that it does not
// write; "" when there is none.
func (p *Plan) Believed() string {
	for _, sc := range p.Scenarios {
		for _, st := range sc.Steps {
			for _, ask := range st.Asks {
				if ask.Template != nil && ask.Believed {
					return sc.Name + "/" + st.Name
				}
			}
		}
	}
	return ""
}
