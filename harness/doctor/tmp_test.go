package doctor_test
import ("testing";"cutover/harness/doctor")
func TestTmp(t *testing.T){
 for _, m := range []string{"","node-2013","pre-auth","roles-missing","ssl-offload","health-down"} {
 p := admit(t, m, asUser, asApp)
 t.Log(m+"\n"+dump(doctor.Examine(t.Context(), p.deps, p.options)))
 t.Log(p.lab.Stats())
 }
}
