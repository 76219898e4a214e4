package names

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// pairs: names in their script with spellings met on papers. Invented people.
var pairs = []struct {
	script Script
	own    string
	roman  []string
}{
	{Khmer, "ស្រីលក្ខណ៍", []string{"Sreyleak", "Srey Leak", "Sreileak"}},
	{Khmer, "កែវ ចាន់ធូ", []string{"Keo Chanthou", "Keo Chantu", "Kaev Chanthou"}},
	{Khmer, "សុខ ដារ៉ា", []string{"Sok Dara", "Dara Sok", "Sokh Dara"}},
	{Khmer, "ប្រាក់ វណ្ណា", []string{"Prak Vanna", "Vanna Prak"}},
	{Khmer, "លឹម សុភា", []string{"Lim Sophea", "Lim Sophia", "Lem Sophea"}},
	{Khmer, "ឈិន បុប្ផា", []string{"Chhin Bopha", "Chin Bopha"}},
	{Khmer, "ហេង ពិសិដ្ឋ", []string{"Heng Piseth", "Heng Pisith"}},
	{Khmer, "នួន សុធារិទ្ធ", []string{"Nuon Sothearith", "Nuon Sothearit"}},
	{Khmer, "ម៉ៅ រតនា", []string{"Mao Ratana", "Mao Rattana", "Mov Ratana"}},
	{Khmer, "ជា សុវណ្ណ", []string{"Chea Sovann", "Chea Sovan"}},
	{Khmer, "អ៊ុំ ចន្ទ្រា", []string{"Um Chantrea", "Oum Chantrea"}},
	{Khmer, "យិន ផល្លី", []string{"Yin Phally", "Yin Phalli"}},
	{Thai, "สมชาย ใจดี", []string{"Somchai Jaidee", "Somchai Chaidi", "Somchay Jaidee"}},
	{Thai, "พรทิพย์ ศรีสุวรรณ", []string{"Pornthip Srisuwan", "Phonthip Sisuwan", "Porntip Srisuwan"}},
	{Thai, "กนกวรรณ แก้วมณี", []string{"Kanokwan Kaewmanee", "Kanokwan Keomani"}},
	{Thai, "ณัฐพล จันทร์แก้ว", []string{"Nattapon Chankaew", "Natthaphon Chankaeo"}},
	{Thai, "สุดารัตน์ บุญมา", []string{"Sudarat Boonma", "Sudarat Bunma"}},
	{Thai, "อนุชา วงศ์สวัสดิ์", []string{"Anucha Wongsawat", "Anucha Vongsavat"}},
	{Thai, "หนูเล็ก ทองดี", []string{"Noolek Thongdee", "Nulek Thongdi"}},
	{Thai, "วิไลลักษณ์ พรหมมา", []string{"Wilailak Phromma", "Vilailuck Promma"}},
	{Thai, "ธนพร สิงห์โต", []string{"Thanaporn Singto", "Thanaphon Singto"}},
	{Lao, "ບຸນມີ ພົມມະຈັນ", []string{"Bounmy Phommachanh", "Bunmi Phommachan"}},
	{Lao, "ສົມຊາຍ ວົງສະຫວັນ", []string{"Somxay Vongsavanh", "Somsay Vongsavan"}},
	{Lao, "ຄຳຫລ້າ ສີສຸກ", []string{"Khamla Sisouk", "Kham La Sysouk"}},
	{Lao, "ນາງ ດາວວອນ", []string{"Nang Daovone", "Dao Vone"}},
	{Lao, "ແກ້ວມະນີ ໄຊຍະວົງ", []string{"Keomany Xayavong", "Keomani Sayavong"}},
	{Lao, "ພອນສະຫວັນ ລາດຊະວົງ", []string{"Phonesavanh Ratsavong", "Phonsavan Latsavong"}},
	{Burmese, "အောင်မြင့်", []string{"Aung Myint", "Aung Myin"}},
	{Burmese, "မခင်စိုးဝင်း", []string{"Ma Khin Soe Win", "Khin Soe Win"}},
	{Burmese, "ကျော်ဇော်လင်း", []string{"Kyaw Zaw Lin", "Kyaw Zaw Linn"}},
	{Burmese, "သန္တာဦး", []string{"Thandar Oo", "Thanda Oo"}},
	{Burmese, "ဖြိုးဝေအောင်", []string{"Phyo Wai Aung", "Phyo Wei Aung"}},
	{Burmese, "နန်းမိုးမိုး", []string{"Nan Moe Moe", "Nang Mo Mo"}},
	{Burmese, "ထွန်းထွန်းနိုင်", []string{"Tun Tun Naing", "Htun Htun Naing"}},
	{Burmese, "စုစုလှိုင်", []string{"Su Su Hlaing", "Susu Hlaing"}},
	{Burmese, "ရွှေရည်ဝင်း", []string{"Shwe Yi Win", "Shwe Yee Win"}},
	{Burmese, "ဉာဏ်လင်းထက်", []string{"Nyan Lin Htet", "Nyan Lynn Htet"}},
	{Devanagari, "सीता थापा", []string{"Sita Thapa", "Seeta Thapa"}},
	{Devanagari, "रमेश कुमार यादव", []string{"Ramesh Kumar Yadav", "Ramesh Yadav"}},
	{Devanagari, "लक्ष्मी श्रेष्ठ", []string{"Laxmi Shrestha", "Lakshmi Shrestha"}},
	{Devanagari, "बिष्णु गुरुङ", []string{"Bishnu Gurung", "Vishnu Gurung"}},
	{Devanagari, "पूजा विश्वकर्मा", []string{"Puja Bishwakarma", "Pooja Vishwakarma"}},
	{Devanagari, "अनिता तामाङ", []string{"Anita Tamang"}},
	{Devanagari, "कृष्ण बहादुर मगर", []string{"Krishna Bahadur Magar"}},
	{Devanagari, "ज्योति चौधरी", []string{"Jyoti Chaudhary", "Jyoti Choudhari"}},
	{Devanagari, "सुनीता पासवान", []string{"Sunita Paswan", "Suneeta Paswan"}},
	{Bengali, "ফাতেমা খাতুন", []string{"Fatema Khatun", "Fatima Khatoon"}},
	{Bengali, "রহিম উদ্দিন", []string{"Rahim Uddin", "Roheem Uddin"}},
	{Bengali, "মোহাম্মদ রাসেল মিয়া", []string{"Mohammad Rasel Mia", "Md Russel Miah"}},
	{Bengali, "শিরিন আক্তার", []string{"Shirin Akter", "Shireen Akhter"}},
	{Bengali, "সুমাইয়া বেগম", []string{"Sumaiya Begum", "Sumaya Begum"}},
	{Bengali, "জাহাঙ্গীর আলম", []string{"Jahangir Alam", "Zahangir Alom"}},
	{Bengali, "নূরজাহান ভূঁইয়া", []string{"Nurjahan Bhuiyan", "Noorjahan Bhuiya"}},
	{Latin, "Nguyễn Thị Hoà", []string{"Nguyen Thi Hoa", "Nguyễn Thị Hòa", "Hoa Nguyen"}},
	{Latin, "Trần Văn Đức", []string{"Tran Van Duc", "Duc Tran Van"}},
	{Latin, "Lê Thị Ngọc Ánh", []string{"Le Thi Ngoc Anh", "Le Ngoc Anh"}},
	{Latin, "Phạm Quốc Khánh", []string{"Pham Quoc Khanh", "Khanh Pham"}},
	{Latin, "Siti Nurhaliza", []string{"Siti Nur Haliza", "Sitti Nurhalisa"}},
	{Latin, "Maria Cristina dela Cruz", []string{"Ma. Cristina de la Cruz", "Maria Christina Dela Cruz"}},
}

// crowd fills an index with n invented people of two names each, so that a
// true match has to win against many near ones.
func crowd(x *Index, n int) {
	rng := rand.New(rand.NewPCG(7, 7))
	var parts []string
	for _, p := range pairs {
		for _, r := range append(p.roman, p.own) {
			parts = append(parts, strings.Fields(r)...)
		}
	}
	starts := strings.Fields("s sr sok ch chan ph bo vi ra t th k kh l m n ng b d h pr kr sam thi da v z j y r g")
	middles := strings.Fields("a e i o u ea ou ai ao ie an en in on un am at ok ak it")
	ends := strings.Fields("ra na ny th ly ya va vath vorn reth kun sa ma da ta nee li ng n m t k p")
	syllable := func() string {
		s := starts[rng.IntN(len(starts))] + middles[rng.IntN(len(middles))]
		if rng.IntN(2) == 0 {
			s += ends[rng.IntN(len(ends))]
		}
		return s
	}
	one := func() string {
		if rng.IntN(8) == 0 {
			return parts[rng.IntN(len(parts))]
		}
		s := syllable()
		if rng.IntN(3) > 0 {
			s += syllable()
		}
		return s
	}
	for i := range n {
		x.Put(Person{
			ID: fmt.Sprintf("crowd-%06d", i), Names: []string{one() + " " + one(), one() + " " + one() + " " + one()},
			Sex: []string{"female", "male"}[i%2], BornFrom: 1990 + i%30, BornTo: 1990 + i%30,
			Code: fmt.Sprintf("KH-%04d", i), Phones: []string{fmt.Sprintf("+8551%07d", i)}, Places: []string{fmt.Sprintf("KH%02d", i%25)},
		})
	}
}

func TestItFindsANameInAnotherScriptAmongManyPeople(t *testing.T) {
	x := NewIndex()
	n := 5_000
	if testing.Short() {
		n = 1_000
	}
	crowd(x, n)
	for i, p := range pairs {
		x.Put(Person{ID: fmt.Sprintf("true-%03d", i), Names: []string{p.own}})
	}
	asked, found := map[Script]int{}, map[Script]int{}
	for i, p := range pairs {
		for _, r := range p.roman {
			asked[p.script]++
			hit := false
			for _, m := range x.Find(Query{Name: r}, 10, nil) {
				hit = hit || m.ID == fmt.Sprintf("true-%03d", i)
			}
			if hit {
				found[p.script]++
			} else {
				s, why := Score(r, p.own)
				t.Logf("%s: %s does not find %s (score %.2f, %s; sounds %s / %s)", p.script, r, p.own, s, why.Kind, sounds(r), sounds(p.own))
			}
		}
	}
	report(t, asked, found, n)
}

func report(t *testing.T, asked, found map[Script]int, n int) {
	t.Helper()
	scripts := make([]string, 0, len(asked))
	for s := range asked {
		scripts = append(scripts, string(s))
	}
	sort.Strings(scripts)
	for _, s := range scripts {
		recall := float64(found[Script(s)]) / float64(asked[Script(s)])
		t.Logf("%-10s found in the first ten among %d: %d of %d (%.2f)", s, n, found[Script(s)], asked[Script(s)], recall)
		if recall < 0.9 {
			t.Errorf("%s: recall %.2f, want at least 0.90", s, recall)
		}
	}
}

func sounds(s string) string {
	var out []string
	for _, w := range words(s) {
		out = append(out, w.sound)
	}
	return strings.Join(out, " ")
}

func TestItSaysWhyInWords(t *testing.T) {
	for _, c := range []struct {
		a, b, kind string
		least      float64
		most       float64
	}{
		{"Sok Dara", "សុខ ដារ៉ា", KindScript, 0.85, 0.99},
		{"Nguyen Thi Hoa", "Nguyễn Thị Hoà", KindMarks, 0.96, 0.98},
		{"Sok Dara", "Dara Sok", KindSame, 0.99, 1},
		{"S Dara", "Sok Dara", KindInitial, 0.7, 0.9},
		{"Dara", "Sok Dara", KindPart, 0.9, 0.99},
		{"Sopheap", "Sophep", KindSounds, 0.8, 0.99},
		{"Dara", "Bopha", "", 0, 0.5},
	} {
		s, why := Score(c.a, c.b)
		if s < c.least || s > c.most || why.Kind != c.kind {
			t.Errorf("%s and %s: %.3f %q, want %q between %.2f and %.2f", c.a, c.b, s, why.Kind, c.kind, c.least, c.most)
		}
		if why.Kind != "" && why.Text == "" {
			t.Errorf("%s and %s: no words for %q", c.a, c.b, why.Kind)
		}
	}
}

func TestItFindsByCodePhoneAgeAndPlace(t *testing.T) {
	x := NewIndex()
	crowd(x, 300)
	x.Put(Person{ID: "one", Names: []string{"Keo Bopha", "Mi"}, Sex: "female", BornFrom: 2010, BornTo: 2011, Code: "KH-7F3Q",
		Phones: []string{Phone("012 345 678", "KHM")}, Places: []string{"KH0102"}})
	first := func(q Query) Match {
		m := x.Find(q, 3, nil)
		if len(m) == 0 {
			return Match{}
		}
		return m[0]
	}
	for _, c := range []struct {
		name, kind string
		q          Query
	}{
		{"code in small letters", KindCode, Query{Text: "kh 7f3q"}},
		{"phone with its country", KindPhone, Query{Text: "+855 12 345 678", Region: "KHM"}},
		{"phone in Khmer digits", KindPhone, Query{Phone: "០១២ ៣៤៥ ៦៧៨", Region: "KHM"}},
		{"nickname", KindOther, Query{Name: "Mi", Born: 2011, Place: "KH01"}},
		{"age two years off", KindAge, Query{Name: "Keo Bopha", Born: 2013}},
		{"place above", KindPlace, Query{Name: "Bopha Keo", Place: "KH01"}},
		{"another sex", KindSexOff, Query{Name: "Bopha Keo", Sex: "male"}},
	} {
		m := first(c.q)
		kinds := ""
		for _, r := range m.Why {
			kinds += r.Kind + " "
		}
		if m.ID != "one" || !strings.Contains(kinds, c.kind) {
			t.Errorf("%s: found %q because %q, want %q among the reasons", c.name, m.ID, kinds, c.kind)
		}
	}
	if m := x.Find(Query{Text: "KH-7F3Q"}, 3, func(string) bool { return false }); len(m) != 0 {
		t.Error("somebody was shown to a reader who may see nobody")
	}
	x.Delete("one")
	for _, q := range []Query{{Text: "KH-7F3Q"}, {Phone: "+85512345678"}, {Name: "Keo Bopha"}} {
		if m := first(q); m.ID == "one" {
			t.Errorf("a forgotten person was found by %+v", q)
		}
	}
}

func TestItStaysTrueUnderAnyOrderOfPutAndDelete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := NewIndex()
		want := map[string]string{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			id := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "id")
			if rapid.Bool().Draw(t, "put") {
				n := rapid.SampledFrom(pairs).Draw(t, "name").own
				x.Put(Person{ID: id, Names: []string{n}})
				want[id] = n
			} else {
				x.Delete(id)
				delete(want, id)
			}
		}
		if x.Len() != len(want) {
			t.Fatalf("%d people, want %d", x.Len(), len(want))
		}
		for id, n := range want {
			hit := false
			for _, m := range x.Find(Query{Name: n}, 10, nil) {
				hit = hit || m.ID == id && m.Score > 0.98
				if _, there := want[m.ID]; !there {
					t.Fatalf("found %s, who was deleted", m.ID)
				}
			}
			if !hit {
				t.Fatalf("%s is not found by the own name", id)
			}
		}
	})
}

func TestItIsTheSameBothWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.String().Draw(t, "a")
		b := rapid.String().Draw(t, "b")
		s, _ := Score(a, b)
		if s < 0 || s > 1 {
			t.Fatalf("score %v", s)
		}
		if w := words(a); len(w) > 0 {
			if same, _ := Score(a, a); same < 0.99 {
				t.Fatalf("a name is like itself by %v", same)
			}
		}
	})
}

func FuzzScore(f *testing.F) {
	f.Add("ស្រីលក្ខណ៍", "Sreyleak")
	f.Add("์์", "กรร")
	f.Add("က္", "ျွ")
	f.Add("ហ្", "្រ៍")
	f.Fuzz(func(t *testing.T, a, b string) {
		if s, _ := Score(a, b); s < 0 || s > 1 {
			t.Fatal(s)
		}
		Phone(a, b)
	})
}

// This is a measurement, not a verdict on the machine: it prints and fails
// nothing. Set BANYAN_MEASURE=1.
func TestItPrintsHowLongItTakesOverAHundredThousandPeople(t *testing.T) {
	if os.Getenv("BANYAN_MEASURE") == "" {
		t.Skip("set BANYAN_MEASURE=1 to measure")
	}
	x := NewIndex()
	start := time.Now()
	crowd(x, 100_000)
	for i, p := range pairs {
		x.Put(Person{ID: fmt.Sprintf("true-%03d", i), Names: []string{p.own}})
	}
	t.Logf("filled with %d people × 2 names, %d distinct sounds, in %v", x.Len(), len(x.words), time.Since(start).Round(time.Millisecond))
	var took []time.Duration
	for range 1 {
		for _, p := range pairs {
			for _, r := range append(p.roman, p.own) {
				s := time.Now()
				x.Find(Query{Name: r, Born: 2010}, 10, nil)
				took = append(took, time.Since(s))
			}
		}
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	t.Logf("%d searches: p50 %v, p90 %v, p99 %v, most %v", len(took), took[len(took)/2], took[len(took)*9/10], took[len(took)*99/100], took[len(took)-1])
}

func BenchmarkFind(b *testing.B) {
	x := NewIndex()
	crowd(x, 100_000)
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		p := pairs[i%len(pairs)]
		x.Find(Query{Name: p.roman[0]}, 10, nil)
	}
}

// contentName is one name of content/names.
type contentName struct {
	Name  string `yaml:"name"`
	Latin string `yaml:"latin"`
}

// contentNames reads the practitioners' lists of common names.
type contentNames struct {
	Country string   `yaml:"country"`
	Script  string   `yaml:"script"`
	Order   []string `yaml:"order"`
	Given   struct {
		Female []contentName `yaml:"female"`
		Male   []contentName `yaml:"male"`
	} `yaml:"given"`
	Family []contentName `yaml:"family"`
}

// full gives all combinations' n-th name in own script and in Latin letters.
func (c *contentNames) full(n int) (own, latin string) {
	given := append(append([]contentName{}, c.Given.Female...), c.Given.Male...)
	g := given[n%len(given)]
	var f contentName
	if len(c.Family) > 0 {
		f = c.Family[(n/len(given)+n)%len(c.Family)]
	} else {
		f = given[(n*7+3)%len(given)]
	}
	parts := []contentName{g, f}
	if len(c.Order) > 0 && c.Order[0] == "family" {
		parts = []contentName{f, g}
	}
	either := func(x contentName) string {
		if x.Latin != "" {
			return x.Latin
		}
		return x.Name
	}
	return parts[0].Name + " " + parts[1].Name, either(parts[0]) + " " + either(parts[1])
}

func TestItFindsTheCommonNamesOfElevenCountriesWrittenInTheOtherScript(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "content", "names", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Skip("no lists of common names in content/names")
	}
	x := NewIndex()
	asked, found := map[Script]int{}, map[Script]int{}
	type try struct {
		id, latin string
		script    Script
	}
	var tries []try
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c contentNames
		if err := yaml.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		for n := range 150 { // every person is a common name among people of common names
			own, latin := c.full(n)
			id := fmt.Sprintf("%s-%03d", c.Country, n)
			x.Put(Person{ID: id, Names: []string{own}})
			if n < 60 {
				tries = append(tries, try{id, latin, scriptOf(own)})
			}
		}
	}
	for _, a := range tries {
		asked[a.script]++
		hit := false
		for _, m := range x.Find(Query{Name: a.latin}, 10, nil) {
			hit = hit || m.ID == a.id
		}
		if hit {
			found[a.script]++
		} else if testing.Verbose() {
			own := x.people[x.byID[a.id]].Names[0]
			score, why := Score(a.latin, own)
			t.Logf("%s: %s does not find %s (%.2f %s; %s / %s)", a.script, a.latin, own, score, why.Kind, sounds(a.latin), sounds(own))
		}
	}
	report(t, asked, found, x.Len())
}

// TestManyOfAnotherOwnerHideNobody: the child is known here, and stays to be
// found however many others have a name that is nearer elsewhere.
func TestManyOfAnotherOwnerHideNobody(t *testing.T) {
	x := NewIndex()
	for i := range 3000 { // more than are compared one by one, by name or by age
		x.Put(Person{ID: fmt.Sprint("there", i), Owner: "there", Names: []string{"Bopha"}, BornFrom: 2010, BornTo: 2010})
	}
	x.Put(Person{ID: "here", Owner: "here", Names: []string{"Bopa"}, BornFrom: 2010, BornTo: 2010})
	for _, q := range []Query{{Name: "Bopha", Owner: "here"}, {Born: 2010, Owner: "here"}} {
		if m := x.Find(q, 20, nil); len(m) != 1 || m[0].ID != "here" {
			t.Errorf("%+v found %d", q, len(m))
		}
	}
	if m := x.Find(Query{Name: "Bopha", Owner: "here", Also: map[string]bool{"there7": true}}, 20, nil); len(m) != 2 {
		t.Errorf("what is shared: found %d", len(m))
	}
}
