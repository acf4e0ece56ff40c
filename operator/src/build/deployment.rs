use super::{Blueprint, PORT, config_map};
use crate::capacity;
use crate::child::{Child, Kind};
use crate::names::{labels_of_revision, of_revision, selector_of_revision, shared};
use crds::spec::{Amounts, LogLevel, PullPolicy, Quantity as Amount, Toleration as Tolerated};
use crds::worker::{FileKey, Origin, files};
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment,
};
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapVolumeSource, Container, ContainerPort, EnvVar, HTTPGetAction,
    KeyToPath, LocalObjectReference, PodSecurityContext, PodSpec, PodTemplateSpec, Probe,
    ResourceRequirements, SeccompProfile, SecretVolumeSource, SecurityContext, Toleration, Volume,
    VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::{BTreeMap, BTreeSet};

/// The folder of the configuration; the folders of [`files`] are beside it.
const FOLDER: &str = "/etc/streaming-tda/worker";
/// The volume of the configuration.
const CONFIGURATION: &str = "configuration";
/// Nobody in particular, as in the image.
const USER: i64 = 65_532;
/// Files are for the workers to read, and for nobody else.
const READABLE: i32 = 0o440;

/// The workers of a revision.
pub(super) fn build(blueprint: &Blueprint<'_>) -> Child {
    let resource = &blueprint.resource.spec;
    let name = of_revision(&blueprint.name(), blueprint.revision);
    let deployment = Deployment {
        metadata: blueprint.of_revision(),
        spec: Some(DeploymentSpec {
            replicas: Some(blueprint.replicas),
            revision_history_limit: Some(0),
            progress_deadline_seconds: Some(resource.rollout.progress_deadline_seconds),
            selector: LabelSelector {
                match_labels: Some(selector_of_revision(&blueprint.name(), blueprint.revision)),
                ..LabelSelector::default()
            },
            // Nodes need no room for more pods than are wanted, and partitions change hands once.
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".into()),
                rolling_update: Some(RollingUpdateDeployment {
                    max_surge: Some(IntOrString::Int(0)),
                    max_unavailable: Some(IntOrString::Int(1)),
                }),
            }),
            template: template(blueprint),
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    };
    Child::new(Kind::Deployment, &name, &deployment)
}

fn template(blueprint: &Blueprint<'_>) -> PodTemplateSpec {
    let pod = &blueprint.resource.spec.pod;
    let mut labels = pod.labels.clone();
    labels.extend(labels_of_revision(&blueprint.name(), blueprint.revision));
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels),
            annotations: some(&pod.annotations),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            service_account_name: Some(shared(&blueprint.name())),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            security_context: Some(PodSecurityContext {
                run_as_non_root: Some(true),
                run_as_user: Some(USER),
                run_as_group: Some(USER),
                fs_group: Some(USER),
                seccomp_profile: Some(SeccompProfile {
                    type_: "RuntimeDefault".into(),
                    ..SeccompProfile::default()
                }),
                ..PodSecurityContext::default()
            }),
            termination_grace_period_seconds: Some(pod.termination_grace_period_seconds.into()),
            node_selector: some(&pod.node_selector),
            tolerations: listed(pod.tolerations.iter().map(toleration).collect()),
            priority_class_name: pod.priority_class_name.clone(),
            image_pull_secrets: listed(pull_secrets(blueprint)),
            containers: vec![container(blueprint)],
            volumes: Some(volumes(blueprint)),
            ..PodSpec::default()
        }),
    }
}

fn container(blueprint: &Blueprint<'_>) -> Container {
    let spec = &blueprint.resource.spec;
    Container {
        name: "worker".into(),
        image: Some(blueprint.settings.image(&spec.image)),
        image_pull_policy: Some(pull_policy(spec.image.pull_policy).into()),
        args: Some(vec!["run".into(), "--config".into(), format!("{FOLDER}/{}", config_map::FILE)]),
        env: Some(vec![
            variable("RUST_LOG", log_level(spec.observability.log_level)),
            variable("STDA_REVISION", blueprint.revision.as_str()),
        ]),
        ports: Some(vec![ContainerPort {
            name: Some(PORT.into()),
            container_port: spec.observability.port,
            protocol: Some("TCP".into()),
            ..ContainerPort::default()
        }]),
        liveness_probe: Some(probe("/health/live", 10)),
        readiness_probe: Some(probe("/health/ready", 2)),
        resources: Some(requirements(blueprint)),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            run_as_non_root: Some(true),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), add: None }),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(mounts(blueprint)),
        ..Container::default()
    }
}

fn variable(name: &str, value: &str) -> EnvVar {
    EnvVar { name: name.into(), value: Some(value.into()), ..EnvVar::default() }
}

fn probe(path: &str, seconds: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.into()),
            port: IntOrString::String(PORT.into()),
            scheme: Some("HTTP".into()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(seconds),
        timeout_seconds: Some(2),
        ..Probe::default()
    }
}

/// What is asked for by the resource, or else a limit that it names, or else what its scales need.
fn requirements(blueprint: &Blueprint<'_>) -> ResourceRequirements {
    let spec = &blueprint.resource.spec;
    let asked = spec.resources.clone().unwrap_or_default();
    let Amounts { cpu, memory } = asked.requests;
    let text = |amount: &Amount| match amount {
        Amount::Whole(number) => number.to_string(),
        Amount::Text(text) => text.clone(),
    };
    let request = |amount: Option<Amount>, limit: &Option<Amount>, needed: String| {
        Quantity(amount.as_ref().or(limit.as_ref()).map_or(needed, text))
    };
    let cpu = request(cpu, &asked.limits.cpu, format!("{}m", capacity::millicores(spec)));
    let mebibytes = capacity::memory(spec) >> 20;
    let memory = request(memory, &asked.limits.memory, format!("{mebibytes}Mi"));
    let limits = [("cpu", &asked.limits.cpu), ("memory", &asked.limits.memory)];
    let limits = limits.into_iter().filter_map(|(name, limit)| {
        limit.as_ref().map(|limit| (name.to_owned(), Quantity(text(limit))))
    });
    ResourceRequirements {
        requests: Some([("cpu".to_owned(), cpu), ("memory".to_owned(), memory)].into()),
        limits: some(&limits.collect::<BTreeMap<_, _>>()),
        ..ResourceRequirements::default()
    }
}

/// Each Secret and ConfigMap that files come from, with its keys; in the order of their volumes.
fn origins(blueprint: &Blueprint<'_>) -> BTreeMap<(Origin, String), BTreeSet<FileKey>> {
    let mut origins: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for file in files(&blueprint.resource.spec) {
        origins.entry((file.origin, file.name.clone())).or_default().insert(file);
    }
    origins
}

fn volumes(blueprint: &Blueprint<'_>) -> Vec<Volume> {
    let configuration = Volume {
        name: CONFIGURATION.into(),
        config_map: Some(ConfigMapVolumeSource {
            name: of_revision(&blueprint.name(), blueprint.revision),
            default_mode: Some(READABLE),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    };
    let others =
        origins(blueprint).into_iter().enumerate().map(|(index, ((origin, name), keys))| {
            let item =
                |file: FileKey| KeyToPath { path: file.key.clone(), key: file.key, mode: None };
            let items = Some(keys.into_iter().map(item).collect());
            let mut volume = Volume { name: volume(index), ..Volume::default() };
            match origin {
                Origin::ConfigMap => {
                    volume.config_map = Some(ConfigMapVolumeSource {
                        name,
                        items,
                        default_mode: Some(READABLE),
                        optional: None,
                    });
                }
                Origin::Secret => {
                    volume.secret = Some(SecretVolumeSource {
                        secret_name: Some(name),
                        items,
                        default_mode: Some(READABLE),
                        optional: None,
                    });
                }
            }
            volume
        });
    [configuration].into_iter().chain(others).collect()
}

fn mounts(blueprint: &Blueprint<'_>) -> Vec<VolumeMount> {
    let mount = |name: String, folder: String| VolumeMount {
        name,
        mount_path: folder,
        read_only: Some(true),
        ..VolumeMount::default()
    };
    let others = origins(blueprint).into_values().enumerate().filter_map(|(index, keys)| {
        let path = keys.first()?.path();
        let (folder, _) = path.rsplit_once('/')?;
        Some(mount(volume(index), folder.into()))
    });
    [mount(CONFIGURATION.into(), FOLDER.into())].into_iter().chain(others).collect()
}

/// The name of a volume: that of a Secret may be too long for one.
fn volume(index: usize) -> String {
    format!("files-{index}")
}

fn pull_secrets(blueprint: &Blueprint<'_>) -> Vec<LocalObjectReference> {
    let names = blueprint.resource.spec.image.pull_secrets.iter();
    names.map(|name| LocalObjectReference { name: name.clone() }).collect()
}

fn pull_policy(policy: PullPolicy) -> &'static str {
    match policy {
        PullPolicy::IfNotPresent => "IfNotPresent",
        PullPolicy::Always => "Always",
        PullPolicy::Never => "Never",
    }
}

fn log_level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    }
}

fn toleration(tolerated: &Tolerated) -> Toleration {
    // The words of both are the same, and these are their names.
    Toleration {
        key: tolerated.key.clone(),
        operator: Some(format!("{:?}", tolerated.operator)),
        value: tolerated.value.clone().filter(|value| !value.is_empty()),
        effect: tolerated.effect.map(|effect| format!("{effect:?}")),
        toleration_seconds: tolerated.toleration_seconds,
    }
}

/// Others may fill a list that is not ours.
fn listed<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn some<T: Clone>(map: &BTreeMap<String, T>) -> Option<BTreeMap<String, T>> {
    (!map.is_empty()).then(|| map.clone())
}
