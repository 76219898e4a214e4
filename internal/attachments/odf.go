package attachments

// odt, ods and odp (OASIS OpenDocument 1.3, ISO/IEC 26300).

import (
	"encoding/xml"
	"path"
	"slices"
	"strings"
)

type odf struct{}

// longAgo stands where a time must stand.
const longAgo = "1970-01-01T00:00:00"

func (odf) part(name string) (verdict, error) {
	base, ext := path.Base(name), path.Ext(strings.ToLower(name))
	switch {
	case under(name, []string{"Basic/", "Dialogs/", "Scripts/"}):
		return refusePart, errMacro
	case name == "mimetype", name == "META-INF/manifest.xml":
		return tablePart, nil
	case base == "meta.xml", base == "settings.xml", base == "manifest.rdf", base == "layout-cache", base == "VersionList.xml",
		under(name, []string{"Thumbnails/", "Configurations2/", "META-INF/", "Versions/"}):
		return dropPart, nil
	case ext == ".xml":
		return xmlPart, nil
	case ext == ".ttf", ext == ".otf":
		return plainPart, nil
	case strings.HasPrefix(name, "Pictures/"), strings.HasPrefix(name, "media/"), strings.HasPrefix(name, "Media/"), strings.HasPrefix(name, "ObjectReplacements/"):
		return picturePart, nil
	}
	return refusePart, nil
}

func (odf) rules(o *office, name string) (xmlRules, error) {
	if name == "META-INF/manifest.xml" {
		return xmlRules{element: func(_ string, e *xml.StartElement) (bool, error) {
			if e.Name.Local == "encryption-data" {
				return false, errLocked
			}
			full := attr(e, "full-path")
			eachAttr(e, func(a *xml.Attr) bool { return a.Name.Local != "size" })
			if e.Name.Local != "file-entry" || full == "/" || strings.HasSuffix(full, "/") && !under(full, []string{"Configurations2/", "Thumbnails/"}) {
				return true, nil
			}
			return o.parts[full] != nil && !o.gone[full], nil
		}}, nil
	}
	return xmlRules{
		element: func(_ string, e *xml.StartElement) (bool, error) {
			switch e.Name.Local {
			case "scripts", "event-listeners", "event-listener", "dde-connection-decls", "dde-source":
				return false, nil
			case "script":
				return false, nil
			case "binary-data":
				return false, errUnclean // a picture written as letters
			}
			eachAttr(e, odfAttribute)
			return true, nil
		},
		text: func(in xml.Name, s string) (string, error) {
			switch {
			case in.Space == "dc" && in.Local == "creator", in.Local == "creator-initials", in.Local == "sender-initials":
				return nobody, nil
			case in.Space == "dc" && in.Local == "date":
				return longAgo, nil
			case in.Local == "date-string":
				return "", nil
			}
			return s, nil
		},
	}, nil
}

func odfAttribute(a *xml.Attr) bool {
	switch {
	case slices.Contains([]string{"rsid", "paragraph-rsid", "chg-author", "chg-date-time"}, a.Name.Local):
		return false
	case a.Name.Local == "href" && (strings.Contains(a.Value, ":") || strings.HasPrefix(a.Value, "/") || strings.HasPrefix(a.Value, "..")):
		a.Value = "#"
	case a.Name.Space == "draw" && a.Name.Local == "name" && likePath.MatchString(a.Value):
		return false
	}
	return true
}
