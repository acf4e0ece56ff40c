use anyhow::Result;
use harness::binary::Profile;
use harness::image::Image;
use harness::root;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The folder of the archives
    #[arg(long, default_value_os_t = root().join("target/images"))]
    out: PathBuf,
}

/// The images of operator and worker, as they are released.
pub(crate) fn build() -> Result<[Image; 2]> {
    Ok([Image::operator(Profile::Release)?, Image::worker(Profile::Release)?])
}

/// Writes them as archives, and says how they are taken in.
pub(crate) fn write(options: &Options) -> Result<()> {
    for image in build()? {
        let name = image.name().rsplit('/').next().unwrap_or_default();
        let archive = options.out.join(format!("{}.tar", name.replace(':', "-")));
        image.write(&archive)?;
        println!("{:>5.1} MB  {}", image.size() as f64 / 1e6, archive.display());
    }
    println!(
        "
docker load --input FILE                        # a container engine
kind load image-archive FILE                    # kind
ctr --namespace k8s.io images import FILE       # containerd, on every node
The chart runs these by its default values."
    );
    Ok(())
}
