// Package program builds the real binary, starts it on a free port with an
// invented country, and speaks to it over HTTP, as tests of the whole program
// need.
package program

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Binary builds the program once in this test process and gives its path.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "banyan-bin-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "banyan")
	_, here, _, _ := runtime.Caller(0)
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "banyan/cmd/banyan")
	cmd.Dir = filepath.Dir(here)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the program: %v\n%s", err, out)
	}
	return path, nil
})

// Program is one running process.
type Program struct {
	URL  string
	Data string
	cmd  *exec.Cmd
	done chan struct{}
	log  *lockedBuffer
	out  *lockedBuffer
}

var serving = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)`)

// Demo starts `banyan demo` over a data folder.
func Demo(t testing.TB, data string, size int) *Program {
	t.Helper()
	return Start(t, data, "demo", "--data", data, "--addr", "127.0.0.1:0", "--size", fmt.Sprint(size))
}

// Start runs the program until the test ends. Its first line with an address
// says that it serves.
func Start(t testing.TB, data string, args ...string) *Program {
	t.Helper()
	return StartIn(t, nil, data, args...)
}

// StartIn is Start with more environment ("TMPDIR=…").
func StartIn(t testing.TB, env []string, data string, args ...string) *Program {
	t.Helper()
	p := &Program{Data: data, done: make(chan struct{}), log: &lockedBuffer{}, out: &lockedBuffer{}}
	p.cmd = exec.Command(Binary(t), args...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = p.log
	// A group of its own: what is sent to the tests' group is not for it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	lines := bufio.NewScanner(io.TeeReader(out, p.out))
	for lines.Scan() {
		if m := serving.FindStringSubmatch(lines.Text()); m != nil {
			p.URL = "http://" + m[1]
			break
		}
	}
	go func() {
		_, _ = io.Copy(p.out, out)
		_ = p.cmd.Wait()
		close(p.done)
	}()
	if p.URL == "" {
		<-p.done
		t.Fatalf("the program ended before it served:\n%s", p.log.String())
	}
	p.WaitReady(t)
	return p
}

// WaitReady asks until the program answers. It listens already, so that one
// question is mostly enough: the answer comes when it serves.
func (p *Program) WaitReady(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		select {
		case <-p.done:
			t.Fatalf("the program ended before it answered:\n%s", p.log.String())
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		runtime.Gosched()
	}
	t.Fatalf("the program did not answer within a minute:\n%s", p.log.String())
}

// Kill ends the program as a power cut would.
func (p *Program) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop ends the program as Ctrl-C does.
func (p *Program) Stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	<-p.done
}

// Log is what the program wrote to standard error.
func (p *Program) Log() string { return p.log.String() }

// Printed is what the program wrote to standard output.
func (p *Program) Printed() string { return p.out.String() }

// SignIn is a printed way in.
type SignIn struct{ Login, Password, Name, Role string }

// SignIns reads the demonstration's printed sign-ins, by login.
func (p *Program) SignIns(t testing.TB) map[string]SignIn {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.Data, "demo.json"))
	if err != nil {
		t.Fatal(err)
	}
	var note struct {
		SignIns []SignIn `json:"sign_ins"`
	}
	if err := json.Unmarshal(text, &note); err != nil {
		t.Fatal(err)
	}
	out := map[string]SignIn{}
	for _, s := range note.SignIns {
		out[s.Login] = s
	}
	return out
}

// Client is one signed-in user. It is safe for concurrent use.
type Client struct {
	URL  string
	HTTP *http.Client
}

// As signs a printed user in.
func (p *Program) As(t testing.TB, login string) *Client {
	t.Helper()
	c := p.Anonymous()
	var me map[string]any
	status, body := c.Do(t, http.MethodPost, "/api/sign-in", map[string]any{"login": login, "password": p.SignIns(t)[login].Password}, &me)
	if status != http.StatusOK {
		t.Fatalf("signing in as %s: %d %s", login, status, body)
	}
	return c
}

// Anonymous is nobody yet.
func (p *Program) Anonymous() *Client {
	jar, _ := cookiejar.New(nil)
	return &Client{URL: p.URL, HTTP: &http.Client{Jar: jar, Timeout: 30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

// At gives the same user, sending to another address: the program came back
// on another port.
func (c *Client) At(url string) *Client {
	from, _ := http.NewRequest(http.MethodGet, c.URL, nil)
	to, _ := http.NewRequest(http.MethodGet, url, nil)
	if from.URL.Hostname() == to.URL.Hostname() { // cookies do not look at ports
		return &Client{URL: url, HTTP: c.HTTP}
	}
	c.HTTP.Jar.SetCookies(to.URL, c.HTTP.Jar.Cookies(from.URL))
	return &Client{URL: url, HTTP: c.HTTP}
}

// Do sends JSON and reads JSON. A failing connection gives status 0.
func (c *Client) Do(t testing.TB, method, path string, in, into any) (int, string) {
	t.Helper()
	status, body, err := c.Try(method, path, in)
	if err != nil {
		return 0, err.Error()
	}
	if into != nil && status < 300 {
		if err := json.Unmarshal(body, into); err != nil {
			t.Fatalf("%s %s answered no JSON: %v\n%.300s", method, path, err, body)
		}
	}
	return status, string(body)
}

// Try is Do for tests that expect the connection to break.
func (c *Client) Try(method, path string, in any) (int, []byte, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return 0, nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, c.URL+path, body)
	if err != nil {
		return 0, nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	return res.StatusCode, out, err
}

// Run runs a command of the program to its end and gives what it printed.
func Run(t testing.TB, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command(Binary(t), args...)
	var b strings.Builder
	cmd.Stdout, cmd.Stderr = &b, &b
	err := cmd.Run()
	if exit, ok := err.(*exec.ExitError); ok {
		return b.String(), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), 0
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
