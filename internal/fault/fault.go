// Package fault is the small set of ways in which a request can go wrong.
//
// Rooms return a *Error when they know which of these it was; any other error
// is Internal. The door maps the code to a status in one place
// (internal/server/httperr). A fault never carries what the caller sent: a
// message is a fixed text, a problem names a path and a rule.
package fault

import (
	"errors"
	"time"
)

// Code says whose turn it is now.
type Code string

// The codes.
const (
	Misuse          Code = "misuse"           // the caller has to change the request
	Unauthenticated Code = "unauthenticated"  // sign in first
	StepUp          Code = "step_up"          // prove once more that it is you
	DeniedOrAbsent  Code = "denied_or_absent" // not there for you; which of the two is not said
	Conflict        Code = "conflict"         // the state changed, or forbids it
	TooLarge        Code = "too_large"        // over a stated limit
	RateLimited     Code = "rate_limited"     // too many tries; wait
	Unavailable     Code = "unavailable"      // cannot now; trying again may help
	Internal        Code = "internal"         // our mistake
)

// Problem is one thing that is wrong with what was sent. Path is the field
// ("answers.age.years"), Code a word for machines, Message a sentence.
type Problem struct {
	Path    string `json:"path"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error is a fault with its words. Message and Problems may be shown to the
// caller; Cause is for the operator's log and must hold no personal data.
type Error struct {
	Code       Code
	Message    string
	Problems   []Problem
	RetryAfter time.Duration // with RateLimited and Unavailable
	Cause      error
}

// Error gives the message, with the cause behind it.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Message + ": " + e.Cause.Error()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New makes a fault.
func New(code Code, message string) *Error { return &Error{Code: code, Message: message} }

// Wrap makes a fault with its cause.
func Wrap(code Code, message string, cause error) *Error {
	return &Error{Code: code, Message: message, Cause: cause}
}

// Field makes a misuse of one field.
func Field(path, code, message string) *Error {
	return &Error{Code: Misuse, Message: "the request has mistakes", Problems: []Problem{{path, code, message}}}
}

// Absent is the one answer to what is denied and to what is not there.
func Absent() *Error { return New(DeniedOrAbsent, "there is nothing here for you") }

// CodeOf says which fault err is; an unknown error is Internal.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
