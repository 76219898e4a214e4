package attachments

// docx, xlsx and pptx (ECMA-376, ISO/IEC 29500).

import (
	"encoding/xml"
	"path"
	"slices"
	"strings"
)

type ooxml struct {
	authors map[string]bool            // of a workbook's comments, whose texts repeat them
	lost    map[string]map[string]bool // by part: relations that are gone
}

// droppedParts say who wrote, with what, for whom, and how it was printed.
var droppedParts = []string{"docProps/", "docMetadata/", "customXml/", "_xmlsignatures/", "userCustomization/", "customUI/", "xl/connections.xml", "xl/queryTables/",
	"xl/revisions/", "xl/printerSettings/", "ppt/printerSettings/", "word/printerSettings/", "ppt/changesInfos/", "ppt/revisionInfo.xml", "ppt/tags/",
	"xl/userNames.xml", "xl/customProperty", "xl/model/", "[trash]/"}

var droppedNames = []string{"people.xml", "commentsIds.xml", "commentsExtensible.xml", "Thumbs.db", ".DS_Store"}

// droppedRelations are kinds of relation that lead to such parts, wherever
// they stand.
var droppedRelations = []string{"/core-properties", "/extended-properties", "/custom-properties", "/thumbnail", "/customXml", "/customXmlProps", "/people",
	"/attachedTemplate", "/tags", "/printerSettings", "/mailMergeSource", "/mailMergeHeaderSource", "/mailMergeRecipientData", "/origin", "/connections", "/queryTable",
	"/usernames", "/revisionHeaders", "/revisionInfo", "/changesInfo", "/commentsIds", "/commentsExtensible", "/extensibility", "/customProperty", "/classificationlabels",
	"/powerPivotData"}

// droppedElements, in any part.
var droppedElements = []string{"rsids", "docVars", "attachedTemplate", "mailMerge", "docId", "absPath", "fileSharing", "revisionPtr", "custDataLst", "documentProtection",
	"writeProtection", "customProperties", "saveThroughXslt", "webPublishing", "smartTagType", "smartTagPr", "customXmlPr", "dataBinding"}

func (k *ooxml) part(name string) (verdict, error) {
	lower, base := strings.ToLower(name), path.Base(name)
	switch ext := path.Ext(lower); {
	case strings.HasSuffix(lower, "vbaproject.bin"), strings.HasSuffix(lower, "vbadata.xml"), strings.Contains(lower, "/activex/"), strings.Contains(lower, "/macrosheets/"),
		strings.Contains(lower, "vbaprojectsignature"), strings.Contains(lower, "/ctrlprops/"):
		return refusePart, errMacro
	case name == "[Content_Types].xml", ext == ".rels":
		if under(name, droppedParts) {
			return dropPart, nil
		}
		return tablePart, nil
	case under(name, droppedParts), slices.Contains(droppedNames, base), strings.HasPrefix(base, "printerSettings"):
		return dropPart, nil
	case ext == ".xml", ext == ".vml":
		return xmlPart, nil
	case ext == ".odttf", ext == ".fntdata", ext == ".ttf":
		return plainPart, nil
	case strings.Contains(name, "/media/"), strings.Contains(name, "/embeddings/") && ext != ".bin", ext == ".png", ext == ".jpeg", ext == ".jpg", ext == ".emf", ext == ".wmf":
		return picturePart, nil
	}
	return refusePart, nil
}

func under(name string, list []string) bool {
	return slices.ContainsFunc(list, func(p string) bool { return strings.HasPrefix(name, p) })
}

// sourceOf names the part whose relations a .rels part holds.
func sourceOf(rels string) string {
	dir, base := path.Split(rels)
	return strings.TrimPrefix(path.Join(path.Dir(strings.TrimSuffix(dir, "/")), strings.TrimSuffix(base, ".rels")), "./")
}

// readRelations finds which relations go, before the parts that use them.
func (k *ooxml) readRelations(o *office) error {
	for _, name := range o.order {
		if path.Ext(name) != ".rels" || o.gone[name] {
			continue
		}
		source := sourceOf(name)
		lost := map[string]bool{}
		rc, r, err := o.open(name)
		if err != nil {
			return err
		}
		err = filterXML(r, discard{}, xmlRules{element: func(_ string, e *xml.StartElement) (bool, error) {
			if e.Name.Local == "Relationship" && goesAway(o, source, e) {
				lost[attr(e, "Id")] = true
			}
			return true, nil
		}})
		rc.Close()
		if err != nil {
			return err
		}
		if o.gone[source] {
			o.gone[name] = true
		}
		k.lost[source] = lost
	}
	return nil
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func goesAway(o *office, source string, e *xml.StartElement) bool {
	kind := attr(e, "Type")
	if slices.ContainsFunc(droppedRelations, func(end string) bool { return strings.HasSuffix(kind, end) }) {
		return true
	}
	if attr(e, "TargetMode") == "External" {
		return false
	}
	target := attr(e, "Target")
	if !strings.HasPrefix(target, "/") {
		target = path.Join("/", path.Dir(source), target)
	}
	return o.gone[strings.TrimPrefix(path.Clean(target), "/")]
}

func (k *ooxml) rules(o *office, name string) (xmlRules, error) {
	switch {
	case name == "[Content_Types].xml":
		return xmlRules{element: func(_ string, e *xml.StartElement) (bool, error) {
			if strings.Contains(attr(e, "ContentType"), "macroEnabled") || strings.Contains(attr(e, "ContentType"), "vbaProject") {
				return false, errMacro
			}
			part := strings.TrimPrefix(attr(e, "PartName"), "/")
			return part == "" || !o.gone[part] && o.parts[part] != nil, nil
		}}, nil
	case path.Ext(name) == ".rels":
		lost := k.lost[sourceOf(name)]
		return xmlRules{element: func(_ string, e *xml.StartElement) (bool, error) {
			if lost[attr(e, "Id")] {
				return false, nil
			}
			if attr(e, "TargetMode") == "External" {
				eachAttr(e, func(a *xml.Attr) bool {
					if a.Name.Local == "Target" {
						a.Value = "about:blank" // a click, or a picture from outside, tells who opened it
					}
					return true
				})
			}
			return true, nil
		}}, nil
	}
	return k.partRules(name), nil
}

func (k *ooxml) partRules(name string) xmlRules {
	lost, comments := k.lost[name], strings.Contains(strings.ToLower(path.Base(name)), "comment")
	return xmlRules{
		element: func(_ string, e *xml.StartElement) (bool, error) {
			local := e.Name.Local
			switch {
			case slices.Contains(droppedElements, local):
				return false, nil
			case local == "ddeLink" || local == "oleLink" || local == "OLEObject" && strings.EqualFold(attr(e, "Type"), "Link"):
				return false, errMacro
			case local == "binData":
				return false, errUnclean // a picture written as letters
			}
			eachAttr(e, func(a *xml.Attr) bool { return k.attribute(local, a, lost) })
			return true, nil
		},
		text: func(in xml.Name, s string) (string, error) {
			switch {
			case comments && in.Local == "author": // of a workbook's comments
				if s = strings.TrimSpace(s); s != nobody && s != "" {
					k.authors[s] = true
				}
				return nobody, nil
			case comments && in.Local == "t" && k.authors[strings.TrimSuffix(strings.TrimSpace(s), ":")]:
				return "", nil
			case in.Local == "instrText", in.Local == "delInstrText":
				return harmlessField(s), nil
			}
			return s, nil
		},
	}
}

// attribute cleans one; false: it goes.
func (k *ooxml) attribute(element string, a *xml.Attr, lost map[string]bool) bool {
	local := a.Name.Local
	if lost[a.Value] && (a.Name.Space == "r" || a.Name.Space == "relationships") {
		return false
	}
	switch local {
	case "author", "initials", "userName", "userId":
		a.Value = nobody
	case "displayName":
		if element == "person" { // a table has one too
			a.Value = nobody
		}
	case "providerId":
		a.Value = "None"
	case "date", "dt", "dT", "dateUtc", "lastModifiedBy", "creator", "refreshedBy", "refreshedDate", "refreshedDateIso", "modified", "created", "lastEdited", "lowestEdited", "rupBuild":
		return false
	case "name":
		if element == "cmAuthor" || element == "author" || element == "person" || likePath.MatchString(a.Value) && element == "cNvPr" {
			a.Value = nobody
		}
	case "descr", "title", "alt", "href", "src":
		if a.Name.Space == "o" || likePath.MatchString(a.Value) {
			return false
		}
	case "instr":
		a.Value = harmlessField(a.Value)
	case "action":
		return !strings.HasPrefix(a.Value, "ppaction://program") && !strings.HasPrefix(a.Value, "ppaction://macro") && !strings.HasPrefix(a.Value, "ppaction://hlinkfile")
	}
	return !strings.HasPrefix(local, "rsid")
}

// harmlessFields compute from the document alone. Others show what they showed
// last: a field may name a file of the author's disk, or fetch from a server.
var harmlessFields = []string{"PAGE", "NUMPAGES", "SECTIONPAGES", "TOC", "PAGEREF", "REF", "SEQ", "STYLEREF", "NOTEREF", "LISTNUM", "="}

func harmlessField(s string) string {
	words := strings.Fields(s)
	if len(words) > 0 && slices.Contains(harmlessFields, strings.ToUpper(words[0])) {
		return s
	}
	return ""
}
