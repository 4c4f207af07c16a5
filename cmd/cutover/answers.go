package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"cutover/harness/canon"
	"cutover/harness/result"
	"cutover/suites"
)

// fourAnswers are the ways to ask for one on-premises mailbox that hybrid
// administrators met over the years: its own server, Graph while it proxied
// (2016 to 2023), the same with an application's token, and Graph today.
var fourAnswers = []struct {
	path, route, token string
	status             int // of a healthy deployment
	meaning            string
}{
	{"onprem", "on-premises /api", "the user's", 200, "the server itself answers its user"},
	{"graph-2019-user", "Graph of 2019", "the user's", 200, "Graph proxied the question to the server"},
	{"graph-2019-app", "Graph of 2019", "app-only", 401, "the server refused the token that Graph made for the application"},
	{"graph-today-user", "Graph today", "the user's", 404, "Graph no longer reaches on-premises mailboxes: move the mailbox, or use EWS"},
}

// fourAnswers asks the same question of the same mailbox in those four ways.
func (s *session) fourAnswers(ctx context.Context) []result.Answer {
	op := suites.Operation{Method: http.MethodGet, URL: "/me/messages"}
	mailbox := s.firstMailbox()
	var answers []result.Answer
	for _, q := range fourAnswers {
		if _, ok := s.plan.Profile.Paths.Get(q.path); !ok {
			continue
		}
		call := s.probe(ctx, q.path, op, mailbox)
		if call.Failure != nil {
			continue
		}
		meaning := q.meaning
		if call.Response.Status != q.status {
			meaning = fmt.Sprintf("unlike a healthy deployment, which answers %d here", q.status)
		}
		answer := result.Answer{
			Mailbox: mailbox.Name, Route: q.route, Token: q.token, Request: "GET /me/messages", Status: call.Response.Status, Meaning: meaning,
		}
		answer.Code, answer.Says = errorOf(call.Response.Body)
		if call.Response.Status == http.StatusUnauthorized {
			// What the server said stays behind Graph; the lab's front-end log has it.
			if line := s.lab.FrontEndSays(probeID(s.id, q.path)); line != "" {
				answer.Says = line
			}
		}
		answers = append(answers, answer)
	}
	return answers
}

// errorOf reads code and message of an OData error body.
func errorOf(body []byte) (code, message string) {
	doc, _ := canon.Parse(body, nil, nil)
	if doc == nil {
		return "", ""
	}
	text := func(pointer string) string {
		if node, ok := doc.Find(pointer); ok {
			return node.Text()
		}
		return ""
	}
	return text("$.error.code"), strings.TrimSpace(text("$.error.message"))
}
