package main

import (
	"fmt"
	"unicode/utf8"

	"cutover/harness/canon"
)

// callRow is one place of two answers, as each has it.
type callRow struct {
	left, right string
	differ      bool // the two say something else there
}

// callRows lays two answers next to each other: members by name, elements by number, so that what only
// one side has stands across from nothing.
func callRows(rows []callRow, indent, label string, l, r canon.Node, values bool) []callRow {
	row := callRow{left: nodeLine(indent, label, l, values), right: nodeLine(indent, label, r, values)}
	nested := l.Len() > 0 || r.Len() > 0
	row.differ = l.Kind() != r.Kind() || !nested && l.Exists() && r.Exists() && l.Hash() != r.Hash()
	rows = append(rows, row)
	if l.Kind() == canon.Array || r.Kind() == canon.Array {
		return elementRows(rows, indent+"  ", l, r, values)
	}
	for child := range l.Children() {
		other, _ := r.Get(child.Key())
		rows = callRows(rows, indent+"  ", child.Key()+": ", child, other, values)
	}
	for child := range r.Children() {
		if other, ok := l.Get(child.Key()); !ok {
			rows = callRows(rows, indent+"  ", child.Key()+": ", other, child, values)
		}
	}
	return rows
}

func elementRows(rows []callRow, indent string, l, r canon.Node, values bool) []callRow {
	var items [2][]canon.Node
	for side, n := range []canon.Node{l, r} {
		if n.Kind() != canon.Array {
			continue
		}
		for child := range n.Children() {
			items[side] = append(items[side], child)
		}
	}
	for i := range max(len(items[0]), len(items[1])) {
		var pair [2]canon.Node
		for side := range pair {
			if i < len(items[side]) {
				pair[side] = items[side][i]
			}
		}
		rows = callRows(rows, indent, fmt.Sprintf("[%d] ", i), pair[0], pair[1], values)
	}
	return rows
}

// nodeLine is one node in one line, "" for one that is not there.
func nodeLine(indent, label string, n canon.Node, values bool) string {
	switch n.Kind() {
	case canon.Invalid:
		return ""
	case canon.Object, canon.Array:
		return indent + label + fmt.Sprintf("(%d)", n.Len())
	case canon.String:
		if values {
			return indent + label + fmt.Sprintf("%q", n.Text())
		}
		return indent + label + fmt.Sprintf("<text of %d>", utf8.RuneCountInString(n.Text()))
	}
	return indent + label + string(n.Raw())
}
