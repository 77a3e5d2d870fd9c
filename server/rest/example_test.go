package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server/rest"
)

type halfInput struct {
	Of int `query:"of" minimum:"0"`
}

// A call that works, one that does not, and one that is asked wrongly.
func Example() {
	mux := http.NewServeMux()
	huma.Register(rest.New("halves", "1.0.0", mux), huma.Operation{Method: http.MethodGet, Path: "/api/half"},
		func(_ context.Context, in *halfInput) (*rest.Body[rest.Payload[int]], error) {
			if in.Of%2 != 0 {
				return nil, rest.Errorf(http.StatusConflict, "%d is odd", in.Of)
			}
			return rest.OK(in.Of / 2), nil
		})
	for _, of := range []string{"8", "7", "-1"} {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/half?of="+of, nil))
		fmt.Print(answer.Code, " ", answer.Body)
	}
	// Output:
	// 200 {"code":0,"payload":4}
	// 409 {"code":409,"msg":"7 is odd"}
	// 400 {"code":400,"msg":"bad param: query.of: expected number >= 0"}
}
