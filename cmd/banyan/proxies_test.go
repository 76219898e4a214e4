package main

import (
	"fmt"
	"testing"
)

func TestProxiesAreAddressesAndNetworks(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "[]",
		"127.0.0.1":          "[127.0.0.1/32]",
		"10.1.2.3/8, ::1,":   "[10.0.0.0/8 ::1/128]",
		"::ffff:192.0.2.1":   "[192.0.2.1/32]",
		"proxy.example.org":  "error",
		"127.0.0.1 10.0.0.1": "error",
	} {
		got, err := proxiesOf(text)
		if said := fmt.Sprint(got); want == "error" && err == nil || want != "error" && (err != nil || said != want) {
			t.Errorf("%q gave %s, %v", text, said, err)
		}
	}
}
