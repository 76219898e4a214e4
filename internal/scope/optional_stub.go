package scope

func (r *run) lcmcr(e *Entry) error        { return refuse("not yet") }
func (r *run) thresholding(e *Entry) error { return refuse("not yet") }
