package casework

// The words of states, moves and clocks in the reader's language. Rules and
// projections hold the English text; catalogues under content/labels give the
// others, and what they lack stays English.

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// labels is one catalogue of content/labels.
type labels struct {
	States    map[string]struct{ Label string }
	Approvals map[string]string
	Moves     map[string]struct {
		Label   string
		Missing []string
	}
	Clocks map[string]string
}

// ownWords are the sentences of this room itself. They are drafted, to be read
// by native speakers.
var ownWords = map[string]map[string]string{
	"vi": {
		"A goal of the plan is due":                               "Một mục tiêu của kế hoạch đến hạn",
		"Two people answered one question differently: settle it": "Hai người trả lời khác nhau cho một câu hỏi: hãy chọn",
		"Assign a worker":                                         "Phân công cán bộ",
		"Approved":                                                "Đã duyệt",
		"Sent back: it needs a change":                            "Trả lại: cần sửa",
		"A case was opened in an emergency":                       "Một ca đã được mở khẩn cấp",
		"Acted without consent: look at the reason":               "Đã hành động khi chưa có đồng thuận: hãy xem lý do",
		"Newly assigned to you":                                   "Mới được giao cho bạn",
		"Result":                                                  "Kết quả",
		"draft instrument, unverified":                            "bộ công cụ bản nháp, chưa kiểm chứng",
		"%d %% not known":                                         "%d %% chưa biết",
		notNegative:                                               "Kết quả không loại trừ mua bán người. Hãy chọn giai đoạn khác, hoặc ghi nhận định thấp hơn kèm lý do.",
	},
	"km": {
		"Result":                       "លទ្ធផល",
		"draft instrument, unverified": "ឧបករណ៍ព្រាង មិនទាន់ផ្ទៀងផ្ទាត់",
		"%d %% not known":              "មិនដឹង %d %%",
		notNegative:                    "លទ្ធផលមិនបានបដិសេធការជួញដូរទេ។ សូមជ្រើសរើសដំណាក់កាលផ្សេង ឬកត់ត្រាការវិនិច្ឆ័យទាបជាង ជាមួយហេតុផល។",
	},
}

// loadWords reads content/labels. A content folder without it speaks English.
func (r *Rules) loadWords(fsys fs.FS) error {
	r.words = map[string]map[string]string{}
	files, err := fs.Glob(fsys, "labels/*.yaml")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			return fmt.Errorf("reading %s: %w", file, err)
		}
		var l labels
		if err := yaml.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("reading %s: %w", file, err)
		}
		r.words[strings.TrimSuffix(path.Base(file), ".yaml")] = r.wordsOf(l)
	}
	for lang, own := range ownWords {
		if r.words[lang] == nil {
			r.words[lang] = map[string]string{}
		}
		for english, text := range own {
			r.words[lang][english] = text
		}
	}
	return nil
}

func (r *Rules) wordsOf(l labels) map[string]string {
	out := map[string]string{}
	for _, s := range r.States {
		out[s.Label] = l.States[s.ID].Label
	}
	for _, a := range r.Approvals {
		out[a.Label] = l.Approvals[a.Form]
	}
	for _, m := range r.Moves {
		words := l.Moves[m.ID]
		out[m.Label] = words.Label
		for i, n := range m.Needs {
			if i < len(words.Missing) {
				out[n.Missing] = words.Missing[i]
			}
		}
	}
	for _, k := range r.Clocks {
		out[k.Label] = l.Clocks[k.ID]
	}
	return out
}

// say gives an English text of the rules in a language, English where there
// is no other.
func (r *Rules) say(english, lang string) string {
	if text := r.words[lang][english]; text != "" {
		return text
	}
	return english
}
