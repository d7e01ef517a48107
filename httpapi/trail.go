package httpapi

import (
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/token"
)

func (o *operators) records(r *http.Request, _ call) (api.RecordList, error) {
	after, limit, err := pageOf(r)
	if err != nil {
		return api.RecordList{}, err
	}
	var position uint64
	if after != "" {
		if position, err = strconv.ParseUint(after, 10, 63); err != nil {
			return api.RecordList{}, refuse(http.StatusBadRequest, api.InvalidRequest, "after is the position of a record.")
		}
	}
	list, err := o.service.Records(r.Context(), position, limit)
	return api.RecordList{Records: each(list, recordObject)}, err
}

func recordObject(r session.StoredRecord) api.Record {
	out := api.Record{
		Position: r.Position, Action: string(r.Action), At: stamp(r.At), SubjectID: r.SubjectID,
		Actor: r.Actor, Detail: r.Detail, RequestID: r.RequestID, Changed: strings.Fields(r.Changed),
	}
	out.SessionID = idText(r.SessionID)
	return out
}

// idText is the id of a session, "" of none.
func idText(id token.ID) string {
	if id == (token.ID{}) {
		return ""
	}
	return id.String()
}

func (o *operators) anonymousRecords(r *http.Request, _ call) (api.AnonymousRecordList, error) {
	after, limit, err := pageOf(r)
	if err != nil {
		return api.AnonymousRecordList{}, err
	}
	var key [20]byte
	if after != "" {
		raw, err := hex.DecodeString(after)
		if err != nil || len(raw) != len(key) {
			return api.AnonymousRecordList{}, refuse(http.StatusBadRequest, api.InvalidRequest, "after is the key of a record.")
		}
		key = [20]byte(raw)
	}
	list, err := o.service.AnonymousRecords(r.Context(), key, limit)
	return api.AnonymousRecordList{Records: each(list, anonymousRecordObject)}, err
}

func anonymousRecordObject(r session.AnonymousRecord) api.AnonymousRecord {
	return api.AnonymousRecord{
		Key: hex.EncodeToString(r.Key[:]), Action: string(r.Action), At: stamp(r.At), SessionID: idText(r.SessionID),
		SubjectID: r.SubjectID, Actor: r.Actor, Detail: r.Detail,
	}
}
