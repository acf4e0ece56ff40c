use crate::holder;
use crate::traces::{gone, processes_with};
use harness::cluster::ControlPlane;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use std::path::{Path, PathBuf};

const CONFIG_MAP: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: shapes, namespace: default}
data: {loop: '1'}
";

#[test]
fn a_control_plane_keeps_what_is_applied_and_says_what_is_wrong() {
    let plane = ControlPlane::start().unwrap();
    plane.client().apply(CONFIG_MAP).unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(plane.client().kube(), "default");
    let map = plane.client().run(maps.get("shapes")).unwrap();
    assert_eq!(map.data.unwrap()["loop"], "1");

    let misspelt = CONFIG_MAP.replace("\ndata", "\ndate");
    let error = format!("{:#}", plane.client().apply(&misspelt).unwrap_err());
    assert!(error.contains("ConfigMap shapes") && error.contains("date"), "{error}");
}

#[test]
fn a_control_plane_leaves_nothing_behind() {
    let (mut holder, kubeconfig) = holder::start("control_plane::hold");
    let killed = folder_of(Path::new(&kubeconfig));
    assert!(processes_with(&killed).len() >= 3);
    holder.kill().unwrap();
    holder.wait().unwrap();
    gone(|| processes_with(&killed));

    let plane = ControlPlane::start().unwrap();
    assert!(!killed.exists());
    let folder = folder_of(plane.kubeconfig());
    assert!(processes_with(&folder).len() >= 3);
    drop(plane);
    assert_eq!(processes_with(&folder), [""; 0]);
    assert!(!folder.exists());
}

#[test]
#[ignore = "what another test starts and kills"]
fn hold() {
    holder::hold(ControlPlane::start().unwrap().kubeconfig());
}

fn folder_of(kubeconfig: &Path) -> PathBuf {
    kubeconfig.ancestors().nth(2).unwrap().into()
}
