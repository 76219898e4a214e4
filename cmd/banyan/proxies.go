// Which proxies are believed when they say for whom they speak.

package main

import (
	"net/netip"
	"strings"
)

// proxiesOf reads addresses and networks parted by commas.
func proxiesOf(list string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range strings.Split(list, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if a, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, misuse("--proxy: %q is no address or network", text)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
