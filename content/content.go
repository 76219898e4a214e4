// Package content is what practitioners own, as data: forms, code lists, deadlines, the steps of a case,
// register variables, countries, places, names for invented people, and translations.
//
// Nothing here decides anything. The files are read by the rooms that work with them (forms, casework,
// register, …) and checked by "banyan forms check". README.md says how to change them.
package content

import "embed"

// FS holds every content file, with paths relative to this folder, as forms/F04_registration.yaml.
//
//go:embed README.md *.yaml *.csv all:forms all:codelists all:instruments all:lang all:names all:labels
var FS embed.FS
