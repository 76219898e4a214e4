package register_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"banyan/internal/register"
	"banyan/internal/store"
	"banyan/internal/store/storetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestTheExportedTableIsTheGoldenFile(t *testing.T) {
	storetest.EachEngine(t, func(t *testing.T, db *store.DB) {
		r := open(t, db)
		put(t, db, "s1", "sex=female;year=2024;citizenship=KHM,VNM;service=legal_aid,shelter;shelter_voluntary=true", 1)
		put(t, db, "s2", "country=KHM;year=2025", 2)
		if err := importLines(t, r, "world", "d1", repeated{2, "sex=male;sector=F,ctdc.other;year=2019"}, repeated{1, ""}); err != nil {
			t.Fatal(err)
		}
		var all, own, dictionary bytes.Buffer
		rows, err := r.ExportCSV(ctx, &all, nil)
		if err != nil || rows != 5 {
			t.Fatalf("%d rows, %v", rows, err)
		}
		golden(t, "export.csv", all.Bytes())
		if rows, err := r.ExportCSV(ctx, &own, []string{"own"}); err != nil || rows != 2 || strings.Contains(own.String(), "world") {
			t.Errorf("own rows only: %d, %v", rows, err)
		}
		if _, err := r.ExportCSV(ctx, &own, []string{"nobody"}); !errors.Is(err, register.ErrNoSource) {
			t.Errorf("an unknown source: %v", err)
		}
		if err := r.WriteDictionary(ctx, &dictionary); err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(&dictionary).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var found int
		for _, l := range lines {
			switch strings.Join(l, "|") {
			case "sex|Sex|no|yes|prs_Gender|gender|female|Female",
				"sector|Sector|yes|yes|vic_ForcedLabourIndustry|typeOfLabourAgriculture typeOfLabourConstruction typeOfLabourDomesticWork typeOfLabourHospitality typeOfLabourOther|ctdc.other|Other work":
				found++
			}
		}
		if found != 2 {
			t.Errorf("the dictionary lacks lines: %v", lines[:5])
		}
	})
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it and run with -update if it is right\n%s", name, got)
	}
}
