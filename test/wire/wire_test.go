// Package wire_test holds the staff app's types to the server's own OpenAPI
// document.
package wire_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"banyan/internal/app"
	"banyan/web/app/wire"
)

func TestTheAppsTypesAreWhatTheServerAnswers(t *testing.T) {
	dir, err := filepath.Abs("../../web/app")
	if err != nil {
		t.Fatal(err)
	}
	tsc := filepath.Join(dir, "node_modules", ".bin", "tsc")
	if _, err := os.Stat(tsc); err != nil {
		t.Skip("the app's packages are not installed (npm ci in web/app): its types are not held to the server")
	}
	a, err := app.Open(context.Background(), app.Config{Data: filepath.Join(t.TempDir(), "data"), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	frame, err := a.Door(app.ServeConfig{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	frame.Mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/openapi.json", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("the document answers %d", answer.Code)
	}
	types, err := wire.TypeScript(answer.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "wire", "wire.gen.ts"), types, 0o644); err != nil {
		t.Fatal(err)
	}
	check := exec.Command(tsc, "--noEmit", "-p", "wire")
	check.Dir = dir
	if said, err := check.CombinedOutput(); err != nil {
		t.Errorf("the app and the server part ways:\n%s", said)
	}
}
