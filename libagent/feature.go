package libagent

import "slices"

// Announce tells servers that the agent speaks something beyond the protocol of the field, such as [wire.FeatureExec]. Servers
// that do not know of it ignore it.
//
// To be called in Setup.
func (ag *Agent) Announce(feature string) {
	ag.beforeStart("Announce")
	if !slices.Contains(ag.features, feature) {
		ag.features = append(ag.features, feature)
	}
}
