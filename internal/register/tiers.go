package register

// What the forms say of the fields that feed facts.
import "banyan/internal/forms"

// TiersOf gives the tiers of a library's fields, for Definition.Check.
func TiersOf(lib *forms.Library) func(form, path string) (tier string, ok bool) {
	return func(form, path string) (string, bool) {
		f, ok := lib.Form(form)
		if !ok || path == "" {
			return "", ok
		}
		field, ok := f.Field(path)
		if !ok {
			return "", false
		}
		return string(field.Tier), true
	}
}
