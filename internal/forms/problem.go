package forms

// Problems: what is wrong with an answer, in words for the person who gave it.
// No message and no path ever repeats what was submitted.

import (
	"strconv"
	"strings"
)

// Problem is one thing to put right. Path is dotted, rows are counted from 0:
// caregivers[2].age, domain.safety.level.
type Problem struct {
	Path    string         `json:"path"`
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Params  map[string]any `json:"params,omitempty"`
}

// Codes of problems.
const (
	ProblemUnknown    = "unknown_field"
	ProblemType       = "type" // params: expected
	ProblemUTF8       = "utf8"
	ProblemControl    = "control"
	ProblemTooLong    = "too_long" // params: max, in characters
	ProblemTooMany    = "too_many" // params: max
	ProblemTooBig     = "too_big"  // params: max, in bytes
	ProblemTooDeep    = "too_deep"
	ProblemCode       = "code"     // not in the list
	ProblemFiltered   = "filtered" // in the list, but not with the other answers
	ProblemIrrelevant = "irrelevant"
	ProblemRequired   = "required"
	ProblemConstraint = "constraint"
	ProblemNumber     = "number_range" // params: min, max
	ProblemWhole      = "whole"
	ProblemDate       = "date" // params: min, max (years)
	ProblemFromTo     = "from_to"
	ProblemPart       = "part" // params: part, the part of the answer that is missing
	ProblemRowID      = "row_id"
	ProblemRowTwice   = "row_twice"
	ProblemReference  = "reference"
	ProblemComplex    = "too_complex"
)

var messagesEnglish = map[string]string{
	ProblemUnknown:    "This form has no such field.",
	ProblemType:       "The answer does not have the form that belongs here.",
	ProblemUTF8:       "The text has characters that cannot be read.",
	ProblemControl:    "The text has invisible control characters. Type it again instead of pasting it.",
	ProblemTooLong:    "Shorten the text to {max} characters.",
	ProblemTooMany:    "Keep this to {max}.",
	ProblemTooBig:     "All answers together are too large. Shorten the long texts or fill in a second form.",
	ProblemTooDeep:    "The answers are nested too deep.",
	ProblemCode:       "Choose one of the answers in the list.",
	ProblemFiltered:   "This choice does not go with the other answers. Choose again.",
	ProblemIrrelevant: "This question does not apply, given the other answers.",
	ProblemRequired:   "Please answer this.",
	ProblemConstraint: "Check this answer.",
	ProblemNumber:     "Give a number from {min} to {max}.",
	ProblemWhole:      "Give a whole number.",
	ProblemDate:       "Give a date between {min} and {max}.",
	ProblemFromTo:     "The start must not come after the end.",
	ProblemPart:       "A part of this answer is missing: {part}.",
	ProblemRowID:      "This row has no valid mark of its own. Add it again.",
	ProblemRowTwice:   "Two rows carry the same mark. Remove one and add it again.",
	ProblemReference:  "What this points to is not there.",
	ProblemComplex:    "This form could not be computed. Tell the administrator.",
}

// drafted by the engine's authors, to be reviewed by a native speaker; a
// catalogue's messages: replace them.
var messagesVietnamese = map[string]string{
	ProblemUnknown:    "Biểu mẫu này không có mục như vậy.",
	ProblemType:       "Câu trả lời không đúng dạng.",
	ProblemUTF8:       "Văn bản có ký tự không đọc được.",
	ProblemControl:    "Văn bản có ký tự điều khiển ẩn. Hãy gõ lại thay vì dán.",
	ProblemTooLong:    "Hãy rút ngắn còn {max} ký tự.",
	ProblemTooMany:    "Tối đa {max}.",
	ProblemTooBig:     "Tổng các câu trả lời quá lớn. Hãy rút ngắn hoặc điền thêm một biểu mẫu nữa.",
	ProblemTooDeep:    "Các câu trả lời lồng nhau quá sâu.",
	ProblemCode:       "Hãy chọn một câu trả lời trong danh sách.",
	ProblemFiltered:   "Lựa chọn này không phù hợp với các câu trả lời khác. Hãy chọn lại.",
	ProblemIrrelevant: "Câu hỏi này không áp dụng với các câu trả lời khác.",
	ProblemRequired:   "Vui lòng trả lời mục này.",
	ProblemConstraint: "Hãy kiểm tra lại câu trả lời này.",
	ProblemNumber:     "Hãy nhập một số từ {min} đến {max}.",
	ProblemWhole:      "Hãy nhập một số nguyên.",
	ProblemDate:       "Hãy nhập ngày trong khoảng từ năm {min} đến năm {max}.",
	ProblemFromTo:     "Thời điểm bắt đầu không được sau thời điểm kết thúc.",
	ProblemPart:       "Câu trả lời còn thiếu một phần: {part}.",
	ProblemRowID:      "Dòng này không có mã riêng hợp lệ. Hãy thêm lại.",
	ProblemRowTwice:   "Hai dòng có cùng một mã. Hãy xóa một dòng và thêm lại.",
	ProblemReference:  "Không tìm thấy mục được tham chiếu.",
	ProblemComplex:    "Không tính được biểu mẫu này. Hãy báo cho quản trị viên.",
}

// Messages gives the engine's own messages by problem code in the language,
// with {max} and the like still in them.
func (l *Library) Messages(lang string) map[string]string {
	out := make(map[string]string, len(messagesEnglish))
	for code := range messagesEnglish {
		out[code] = l.message(lang, code)
	}
	return out
}

func (l *Library) message(lang, code string) string {
	base, _, _ := strings.Cut(lang, "-")
	if l != nil {
		for _, name := range []string{lang, base} {
			if c := l.byLang[name]; c != nil && c.messages[code] != "" {
				return c.messages[code]
			}
		}
	}
	if base == "vi" {
		if m := messagesVietnamese[code]; m != "" {
			return m
		}
	}
	return messagesEnglish[code]
}

// fillIn puts params into a message.
func fillIn(message string, params map[string]any) string {
	for k, v := range params {
		shown := ""
		switch x := v.(type) {
		case int:
			shown = strconv.Itoa(x)
		case string:
			shown = x
		case float64:
			shown = formatNumber(x)
		}
		message = strings.ReplaceAll(message, "{"+k+"}", shown)
	}
	return message
}
